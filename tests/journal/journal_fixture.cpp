#include "journal_fixture.h"

#include <random>

#include "weir/batch.hpp"

namespace weir::journal {

event::Block make_block(uint64_t mark, uint32_t events, const std::string& key, size_t padding) {
  sdk::BatchBuilder builder;
  std::mt19937_64 random(mark);
  std::string noise(padding, ' ');
  for (char& c : noise) c = static_cast<char>('!' + random() % 90);
  for (uint32_t i = 0; i < events; ++i) {
    weir_event_v1& event = builder.add();
    event.device_id = builder.text("device-" + std::to_string(i % 7));
    event.sensor_type = builder.text("temperature");
    event.unit = builder.text(noise);
    event.dedupe_key = builder.text(key);
    event.value_type = WEIR_I64;
    event.value.i64 = static_cast<int64_t>(content_of(mark, i));
  }
  return event::Block::copy(builder.finish());
}

void Settlements::settled(std::vector<Settlement> settlements) {
  std::lock_guard lock(mutex_);
  for (Settlement& settlement : settlements) {
    uint64_t token = settlement.token;
    EXPECT_TRUE(settled_.emplace(token, std::move(settlement)).second) << "token " << token << " is settled twice";
  }
  wake_.notify_all();
}

Settlement Settlements::wait_for(uint64_t token) {
  std::unique_lock lock(mutex_);
  bool came = wake_.wait_for(lock, test::kPatience, [&] { return settled_.count(token) != 0; });
  EXPECT_TRUE(came) << "token " << token << " is not settled";
  return came ? settled_[token] : Settlement{};
}

std::vector<Settlement> Settlements::wait(size_t n) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(wake_.wait_for(lock, test::kPatience, [&] { return settled_.size() >= n; }));
  std::vector<Settlement> all;
  for (const auto& [token, settlement] : settled_) all.push_back(settlement);
  return all;
}

std::optional<Settlement> Settlements::wait_unless(uint64_t token, const std::function<bool()>& give_up) {
  std::unique_lock lock(mutex_);
  while (settled_.count(token) == 0) {
    if (give_up()) return std::nullopt;
    wake_.wait_for(lock, std::chrono::milliseconds(1));
  }
  return settled_[token];
}

std::map<uint64_t, Settlement> Settlements::all() const {
  std::lock_guard lock(mutex_);
  return settled_;
}

std::vector<StoredEvent> events_of(const std::vector<StoredBatch>& batches) {
  std::vector<StoredEvent> events;
  for (const StoredBatch& batch : batches) {
    for (uint32_t i = 0; i < batch.count; ++i) {
      const weir_event_v1& record = *batch.block->event(i);
      StoredEvent& event = events.emplace_back();
      event.epoch = batch.block->batch()->epoch;
      event.sequence = record.sequence;
      event.content = static_cast<uint64_t>(record.value.i64);
      std::copy(record.id, record.id + event.id.size(), event.id.begin());
      event.source = batch.source;
    }
  }
  return events;
}

base::Result<std::vector<StoredEvent>> read_all(Journal& journal, uint64_t from, size_t max_bytes) {
  Reader reader(journal);
  std::vector<StoredEvent> events;
  for (uint64_t at = from; at <= journal.head();) {
    std::vector<StoredBatch> batches;
    if (auto done = reader.read(at, max_bytes, &batches); !done) return done.error();
    if (batches.empty()) break;
    at = batches.back().last() + 1;
    for (StoredEvent& event : events_of(batches)) events.push_back(std::move(event));
  }
  return events;
}

void JournalTest::open() {
  options_.files = &machine_.files();
  auto journal = Journal::open(options_);
  ASSERT_OK(journal);
  journal_ = std::move(*journal);
}

void JournalTest::close() {
  if (journal_) journal_->stop();
  journal_.reset();
}

void JournalTest::reopen() {
  close();
  open();
}

void JournalTest::restart_after_cut(test::CutMode mode) {
  machine_.power_cut(mode);
  reopen();
}

void JournalTest::restart_after_kill() {
  machine_.process_kill();
  reopen();
}

uint64_t JournalTest::offer(event::Block block, bool relaxed, base::Duration flush) {
  Offer offer;
  offer.listener = &settlements_;
  offer.source = journal_->intern("api");
  offer.block = std::move(block);
  offer.token = ++tokens_;
  offer.received_ns = base::wall_ns();
  offer.relaxed = relaxed;
  offer.flush = flush;
  journal_->offer(std::move(offer));
  return tokens_;
}

Settlement JournalTest::store(event::Block block) { return settlements_.wait_for(offer(std::move(block))); }

uint64_t JournalTest::fill_segments(uint32_t segments, uint64_t first_mark) {
  uint64_t events = 0;
  for (uint64_t mark = first_mark; journal_->statistics().segments.size() <= segments; ++mark) {
    EXPECT_TRUE(store(make_block(mark, 10, "", 2000)).durable);
    events += 10;
  }
  return events;
}

std::vector<uint64_t> JournalTest::contents(uint64_t from) {
  auto events = read_all(*journal_, from);
  EXPECT_OK(events);
  std::vector<uint64_t> contents;
  if (events) {
    for (const StoredEvent& event : *events) contents.push_back(event.content);
  }
  return contents;
}

std::vector<std::string> JournalTest::files(const std::string& folder) {
  auto names = machine_.files().list(folder);
  return names ? *names : std::vector<std::string>();
}

void JournalTest::wait_for_checkpoints() {
  EXPECT_TRUE(test::wait_until([&] {
    for (const SegmentInfo& segment : journal_->statistics().segments) {
      if (segment.sealed && !segment.checkpointed) return false;
    }
    return true;
  }));
}

ConsumerState delivered_up_to(const std::string& name, uint64_t last) {
  ConsumerState state;
  state.name = name;
  if (last != 0) state.counts.delivered = state.cursor.settle(1, last);
  return state;
}

}  // namespace weir::journal
