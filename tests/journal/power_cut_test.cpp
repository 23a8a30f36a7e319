// Cuts the power at random moments of the journal's work, opens it again and asks for all that was promised.
//
// A world is one machine with one journal that lives through several cuts. What its sources and consumers were told is
// kept beside it, and after each cut the journal on the disk is held against that. Every random choice comes from the
// world's seed; the threads' timing does not, so a failure may need a few tries with the seed that is printed.
#include <gtest/gtest.h>

#include <random>

#include "journal_fixture.h"
#include "seeds.h"

namespace weir::journal {
namespace {

// How often each thing is done in a life, against the others.
struct Scenario {
  const char* name;
  int strict, relaxed, keyed, consume, sync, maintain, restart;
  uint64_t segment_bytes;
};

constexpr uint64_t kNeverFull = 64 << 20;
constexpr uint64_t kTiny = 44 << 10;  // the empty tables take 20 KiB, so a few batches fill it
constexpr Scenario kScenarios[] = {
    {"AppendStrict", 10, 0, 3, 0, 0, 0, 0, kNeverFull}, {"AppendRelaxed", 3, 10, 2, 1, 0, 0, 0, kNeverFull},
    {"Seal", 10, 1, 2, 0, 0, 1, 0, kTiny},              {"Deliver", 6, 1, 1, 10, 3, 0, 0, kNeverFull},
    {"Trim", 10, 1, 1, 8, 4, 4, 0, kTiny},              {"Restart", 6, 3, 2, 3, 1, 1, 3, kTiny},
};

// What a source was told of one event.
struct Promise {
  uint64_t epoch = 0, sequence = 0, content = 0;
  bool strict = true;
};

class World {
 public:
  World(const Scenario& scenario, test::CutMode mode, uint64_t seed)
      : scenario_(scenario), mode_(mode), random_(seed), machine_(seed) {
    options_.data_dir = "/data";
    options_.segment_bytes = scenario.segment_bytes;
    options_.retention = base::Duration(0);
    options_.tail_bytes = pick(2) == 0 ? 0 : 16 << 10;  // consumers read from the files, or from memory
  }

  // One life up to a cut, and what is found after it.
  void live_and_cut() {
    bool cuts_the_start = pick(4) == 0;
    if (cuts_the_start) machine_.disk().power_off_at(pick(60));
    if (!journal_ && !open()) {
      ASSERT_TRUE(machine_.disk().off()) << "the journal does not open on a sound disk";
      return cut();
    }
    if (!cuts_the_start) machine_.disk().power_off_at(pick(250));
    for (int step = 0; step < 60 && !machine_.disk().off(); ++step) act();
    cut();
  }

 private:
  uint64_t pick(uint64_t n) { return random_() % n; }

  bool open() {
    options_.files = &machine_.files();
    auto journal = Journal::open(options_);
    if (!journal) {
      problem_ = journal.error().text();
      return false;
    }
    journal_ = std::move(*journal);
    if (scenario_.relaxed > 0) journal_->note_relaxed_source();
    settlements_ = std::make_unique<Settlements>();
    offers_.clear();
    token_ = 0;
    for (auto& [name, consumer] : consumers_) consumer = {};
    for (const char* name : {"alpha", "beta"}) consumers_[name].state.name = name;
    for (ConsumerState& state : journal_->state().consumers()) consumers_[state.name].state = state;
    for (auto& [name, consumer] : consumers_) {
      consumer.reader = std::make_unique<Reader>(*journal_);
      consumer.position = consumer.state.cursor.floor();
      if (scenario_.consume > 0) journal_->state().post(consumer.state, {});
    }
    return true;
  }

  void cut() {
    // The process dies with the machine: its threads see a disk that answers no more.
    machine_.power_cut(mode_);
    end_life();
    ASSERT_TRUE(open()) << "after the cut: " << problem_;
    verify();
  }

  // ---- what happens in a life

  void act() {
    const Scenario& s = scenario_;
    int all = s.strict + s.relaxed + s.keyed + s.consume + s.sync + s.maintain + s.restart;
    auto at = static_cast<int>(pick(static_cast<uint64_t>(all)));
    if ((at -= s.strict) < 0) return offer(false, "");
    if ((at -= s.relaxed) < 0) return offer(true, "");
    if ((at -= s.keyed) < 0) return offer(pick(8) == 0 && s.relaxed > 0, "key-" + std::to_string(pick(12)));
    if ((at -= s.consume) < 0) return consume(consumers_[pick(2) == 0 ? "alpha" : "beta"]);
    if ((at -= s.sync) < 0) return sync();
    if ((at -= s.maintain) < 0) return journal_->maintain();
    restart();
  }

  struct Sent {
    uint64_t mark;
    uint32_t events;
    std::string key;
    bool relaxed;
  };

  void offer(bool relaxed, const std::string& key) {
    // A key always comes with the same number of events, as a device that repeats its message sends them.
    auto events = static_cast<uint32_t>(key.empty() ? 1 + pick(12) : 1 + key.size() % 3);
    Offer offer;
    offer.listener = settlements_.get();
    offer.source = journal_->intern("api");
    offer.block = make_block(++mark_, events, key, pick(3) == 0 ? 1500 : 0);
    offer.token = ++token_;
    offer.received_ns = base::wall_ns();
    offer.relaxed = relaxed;
    offer.flush = std::chrono::microseconds(pick(2000));
    offers_[token_] = {mark_, events, key, relaxed};
    journal_->offer(std::move(offer));
    // Some wait for their answer, others go on: several batches come into one transaction.
    if (pick(2) == 0) settlements_->wait_unless(token_, [&] { return machine_.disk().off(); });
  }

  struct Consumer {
    ConsumerState state;
    std::unique_ptr<Reader> reader;
    uint64_t position = 1;
    uint64_t synced_floor = 0;  // what the journal said is on the disk
  };

  void consume(Consumer& consumer) {
    std::vector<StoredBatch> batches;
    if (!consumer.reader->read(consumer.position, 4096, &batches)) return;
    ConsumerState& state = consumer.state;
    std::vector<DeadLetter> letters;
    for (const StoredBatch& batch : batches) {
      // What is settled already, out of order, may be gone.
      EXPECT_LE(batch.first, state.cursor.next_unsettled(consumer.position)) << "a hole without damage";
      for (uint64_t sequence = batch.first; sequence <= batch.last(); ++sequence) {
        if (state.cursor.is_settled(sequence) || pick(8) == 0) continue;  // some are settled later, out of order
        bool dead = pick(10) == 0;
        (dead ? state.counts.dead : state.counts.delivered) += state.cursor.settle(sequence, sequence);
        if (!dead) continue;
        DeadLetter& letter = letters.emplace_back();
        letter.consumer = state.name;
        letter.epoch = batch.block->batch()->epoch;
        letter.sequence = sequence;
        letter.body = "body";
      }
      consumer.position = batch.last() + 1;
    }
    // What was left behind is settled in the end.
    if (pick(2) == 0) {
      uint64_t floor = state.cursor.floor();
      if (floor < consumer.position) state.counts.delivered += state.cursor.settle(floor, floor + pick(consumer.position - floor));
    }
    journal_->state().post(state, std::move(letters));
  }

  void sync() {
    std::map<std::string, uint64_t> floors;
    for (auto& [name, consumer] : consumers_) floors[name] = consumer.state.cursor.floor();
    while (!machine_.disk().off()) {
      if (!journal_->state().sync(std::chrono::milliseconds(5))) continue;
      for (auto& [name, floor] : floors) {
        if (scenario_.consume > 0) synced_[name] = floor;
      }
      return;
    }
  }

  void restart() {
    bool stops_cleanly = pick(2) == 0;
    if (stops_cleanly) journal_->stop();
    if (machine_.disk().off()) return;
    if (!stops_cleanly) machine_.process_kill();
    end_life();
    machine_.disk().power_off_at(pick(120));
    if (open()) return;
    ASSERT_TRUE(machine_.disk().off()) << "after a restart: " << problem_;
    cut();
  }

  // ---- what was promised, and whether it holds

  void end_life() {
    journal_.reset();
    if (!settlements_) return;
    for (const auto& [token, settlement] : settlements_->all()) {
      if (!settlement.durable) continue;
      const Sent& sent = offers_.at(token);
      ASSERT_EQ(settlement.count, sent.events);
      uint32_t i = 0;
      for (const IdRun& run : settlement.ids) {
        for (uint32_t j = 0; j < run.count; ++j, ++i) note(settlement, sent, event::advance(run.first, j), i);
      }
      EXPECT_EQ(i, sent.events) << "an id for every event";
    }
    settlements_.reset();
  }

  void note(const Settlement& settlement, const Sent& sent, const event::Id& id, uint32_t i) {
    if (settlement.duplicates != 0) {
      EXPECT_EQ(settlement.duplicates, sent.events);
      // It was told the id of the first time; that event must exist, whoever sent it.
      if (auto known = promises_.find(id); known != promises_.end()) {
        known->second.strict |= !sent.relaxed;
      }
      return;
    }
    Promise promise{settlement.epoch, settlement.first_sequence + i, content_of(sent.mark, i), !sent.relaxed};
    EXPECT_TRUE(promises_.emplace(id, promise).second) << "an id was given twice";
    claim(promise.epoch, promise.sequence, promise.content);
    if (!sent.key.empty()) keys_[sent.key] = {settlement.first_sequence, settlement.ids.front().first};
  }

  // One sequence of one epoch belongs to one event, for all time.
  void claim(uint64_t epoch, uint64_t sequence, uint64_t content) {
    auto [place, fresh] = numbers_.emplace(std::pair(epoch, sequence), content);
    EXPECT_TRUE(fresh || place->second == content)
        << "sequence " << sequence << " is event " << place->second << " and event " << content;
  }

  void verify() {
    EXPECT_TRUE(journal_->healthy());
    EXPECT_TRUE(journal_->state().lost().empty()) << "a cut alone loses nothing that was durable";
    verify_consumers();
    // What all consumers have settled may be trimmed at any moment.
    uint64_t needed = UINT64_MAX;
    for (const ConsumerState& state : journal_->state().consumers()) needed = std::min(needed, state.cursor.floor());
    if (needed == UINT64_MAX) needed = 1;
    EXPECT_LE(journal_->oldest(), needed) << "something was trimmed that a consumer needs";

    auto events = read_all(*journal_, needed, 8 << 10);
    ASSERT_OK(events);
    // A batch comes whole, though its first events are settled.
    std::erase_if(*events, [&](const StoredEvent& event) { return event.sequence < needed; });
    std::map<event::Id, StoredEvent> stored;
    uint64_t expected = needed;
    for (const StoredEvent& event : *events) {
      EXPECT_EQ(event.sequence, expected++) << "numbers are gapless";
      claim(event.epoch, event.sequence, event.content);
      EXPECT_TRUE(stored.emplace(event.id, event).second) << "an id is stored twice";
    }
    EXPECT_EQ(expected, journal_->head() + 1);
    auto counted = journal_->count_events(needed, journal_->head());
    ASSERT_OK(counted);
    EXPECT_EQ(*counted, events->size());
    for (const auto& [id, promise] : promises_) {
      if (!promise.strict || promise.sequence < needed) continue;
      auto found = stored.find(id);
      ASSERT_NE(found, stored.end()) << "event " << promise.content << " (" << promise.sequence << ") was acknowledged";
      EXPECT_EQ(found->second.content, promise.content);
      EXPECT_EQ(found->second.sequence, promise.sequence);
      EXPECT_EQ(found->second.epoch, promise.epoch);
    }
    verify_a_key(stored);
  }

  void verify_consumers() {
    auto dead = count_dead_letters(machine_.files(), journal_->state().path());
    ASSERT_OK(dead);
    for (const ConsumerState& state : journal_->state().consumers()) {
      EXPECT_EQ(state.counts.sum(), state.cursor.floor() - state.origin + state.cursor.settled_above()) << state.name;
      EXPECT_EQ((*dead)[state.name], state.counts.dead) << state.name;
      EXPECT_GE(state.cursor.floor(), synced_[state.name]) << state.name << " went back behind what was on the disk";
      EXPECT_LE(state.cursor.floor(), journal_->head() + 1);
    }
  }

  // A device that repeats its message is told the ids of the first time.
  void verify_a_key(const std::map<event::Id, StoredEvent>& stored) {
    for (const auto& [key, first] : keys_) {
      if (stored.count(first.id) == 0) continue;  // trimmed, or relaxed and forgotten
      auto events = static_cast<uint32_t>(1 + key.size() % 3);
      Offer offer;
      offer.listener = settlements_.get();
      offer.source = journal_->intern("api");
      offer.block = make_block(++mark_, events, key);
      offer.token = ++token_;
      offer.received_ns = base::wall_ns();
      offers_[token_] = {mark_, events, key, false};
      journal_->offer(std::move(offer));
      Settlement again = settlements_->wait_for(token_);
      EXPECT_TRUE(again.durable);
      EXPECT_EQ(again.duplicates, events) << key;
      EXPECT_EQ(again.first_sequence, first.sequence);
      ASSERT_EQ(again.ids.size(), 1u);
      EXPECT_EQ(again.ids.front().first, first.id);
      return;  // one a cut
    }
  }

  struct KeyInfo {
    uint64_t sequence = 0;
    event::Id id{};
  };

  Scenario scenario_;
  test::CutMode mode_;
  std::mt19937_64 random_;
  test::CrashVfs machine_;
  Options options_;
  std::string problem_;
  uint64_t mark_ = 0;

  std::map<event::Id, Promise> promises_;
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> numbers_;
  std::map<std::string, KeyInfo> keys_;
  std::map<std::string, uint64_t> synced_;

  // Of the present life. The journal goes before those it talks to.
  std::unique_ptr<Settlements> settlements_;
  std::map<uint64_t, Sent> offers_;
  std::map<std::string, Consumer> consumers_;
  uint64_t token_ = 0;
  std::unique_ptr<Journal> journal_;
};

using Parameters = std::tuple<Scenario, test::CutMode>;

class JournalPowerCuts : public testing::TestWithParam<Parameters> {};

TEST_P(JournalPowerCuts, KeepEveryPromise) {
  constexpr int kCutsInAWorld = 5;
  const auto& [scenario, mode] = GetParam();
  uint64_t seed = seeds().first;
  for (int cuts = 0; cuts < seeds().cuts && !HasFailure(); cuts += kCutsInAWorld, ++seed) {
    World world(scenario, mode, seed);
    for (int i = 0; i < kCutsInAWorld && !HasFailure(); ++i) world.live_and_cut();
    if (HasFailure()) {
      const auto* test = testing::UnitTest::GetInstance()->current_test_info();
      std::printf("again with: --gtest_filter=%s.%s --seed=%llu --cuts=%d\n", test->test_suite_name(), test->name(),
                  static_cast<unsigned long long>(seed), kCutsInAWorld);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Disk, JournalPowerCuts,
                         testing::Combine(testing::ValuesIn(kScenarios), testing::ValuesIn(test::kAllCutModes)),
                         [](const auto& test) {
                           std::string mode = test::name_of(std::get<1>(test.param));
                           std::string name = std::get<0>(test.param).name;
                           for (size_t i = 0; i < mode.size(); ++i) {
                             if (mode[i] == ' ') continue;
                             bool begins = i == 0 || mode[i - 1] == ' ';
                             name += begins ? static_cast<char>(std::toupper(mode[i])) : mode[i];
                           }
                           return name;
                         });

}  // namespace
}  // namespace weir::journal
