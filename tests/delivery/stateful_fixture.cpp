#include "stateful_fixture.h"

#include <cstring>

#include "base/log.h"
#include "event/identity.h"
#include "event/merge.h"
#include "event/validate.h"

namespace weir::delivery {
namespace {

std::string key_of(int64_t start, const std::string& device) { return std::to_string(start) + "/" + device; }

// All of an event but its number in the journal.
std::string text_of(const event::Block& block, uint32_t i) {
  const weir_event_v1& event = *block.event(i);
  std::string text = event::hex(event.id, sizeof event.id) + " " + event::hex(event.trace_id, sizeof event.trace_id);
  text += " " + event::hex(event.parent_span, sizeof event.parent_span) + " part " + std::to_string(event.part);
  text += " flags " + std::to_string(event.flags) + " at " + std::to_string(event.timestamp_ns) + " received " +
          std::to_string(event.received_ns);
  for (weir_ref ref : {event.device_id, event.sensor_type, event.unit, event.dedupe_key}) {
    text += " '" + std::string(block.text(ref)) + "'";
  }
  text += " type " + std::to_string(event.value_type) + " " + std::to_string(event.value.i64);
  sdk::EventView view(block.batch(), i);
  for (uint32_t k = 0; k < view.metadata_count(); ++k) {
    auto [key, value] = view.metadata(k);
    text += " " + std::string(key) + "=" + std::string(value);
  }
  return text;
}

// What a plugin may do is tested elsewhere: here every put is right.
struct Discarded final : graph::StateChanges {
  weir_status put(weir_text, const void*, uint64_t) override { return WEIR_OK; }
};

}  // namespace

void Sums::process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) {
  for (uint32_t i = 0; i < batch->count; ++i) {
    sdk::EventView event(batch, i);
    if (event.sensor_type() == "fail") throw sdk::Failure(WEIR_E_INTERNAL, "told to fail");
    int64_t timestamp = event.record().timestamp_ns, value = event.record().value.i64;
    int64_t start = timestamp - timestamp % kWindow;
    close(i, context.now_ns, output);
    if (event.sensor_type() == "pass") {
      output.amend_metadata(i, "passed", "yes");
    } else if (value < 0) {
      output.reject(i, 7, "negative");
    } else if (start + kWindow + kLateness <= context.now_ns) {
      output.drop(i, "late");
    } else {
      std::string device(event.device_id());
      int64_t sum = sums_[{start, device}] += value;
      output.put(key_of(start, device), std::to_string(sum));
    }
  }
}

void Sums::tick(const weir_transform_context& context, sdk::Output& output) { close(0, context.now_ns, output); }

void Sums::close(uint32_t cause, int64_t now_ns, sdk::Output& output) {
  while (!sums_.empty() && sums_.begin()->first.first + kWindow + kLateness <= now_ns) {
    auto [window, sum] = *sums_.begin();
    sums_.erase(sums_.begin());
    weir_new_event event{};
    event.timestamp_ns = window.first;
    event.device_id = sdk::text(window.second);
    event.sensor_type = sdk::text("sum");
    event.value_type = WEIR_I64;
    event.value.i64 = sum;
    output.emit(cause, event);
    output.put(key_of(window.first, window.second), "");
  }
}

void Sums::restore(uint32_t format_version, std::string_view key, std::string_view value) {
  if (format_version != kStateFormat) throw sdk::Failure(WEIR_E_UNSUPPORTED, "of another version");
  size_t slash = key.find('/');
  sums_[{std::stoll(std::string(key.substr(0, slash))), std::string(key.substr(slash + 1))}] =
      std::stoll(std::string(value));
}

void StatefulTest::settled(std::vector<journal::Settlement> settlements) {
  std::lock_guard lock(mutex_);
  for (const journal::Settlement& settlement : settlements) settled_[settlement.token] = settlement.durable;
  changed_.notify_all();
}

StatefulTest::StatefulTest(uint64_t seed) : machine_(seed) {
  options_.data_dir = "/data";
  base::set_log_level(base::Level::kOff);  // disks fail here all the time
}

void StatefulTest::open() {
  options_.files = &machine_.files();
  auto journal = journal::Journal::open(options_);
  ASSERT_OK(journal);
  journal_ = std::move(*journal);
}

bool StatefulTest::start() {
  journal::ConsumerState place;
  place.name = kName;
  for (journal::ConsumerState& known : journal_->state().consumers()) {
    if (known.name == kName) place = std::move(known);
  }
  sums_ = std::make_unique<Sums>();
  graph::TransformCall call = Sums::call(sums_.get());
  state_ = std::make_shared<TransformState>(kName, call.table->state_format);
  while (!journal_->state().sync(std::chrono::milliseconds(5))) {
    if (machine_.disk().off()) return false;
  }
  auto restored = state_->restore(journal_->state(), machine_.files(), test::kPatience,
                                  [&](uint32_t format, const std::string& key, const std::string& value) -> base::Status {
                                    weir_error error{};
                                    weir_status status = call.table->restore(call.self, format, sdk::text(key),
                                                                             value.data(), value.size(), &error);
                                    if (status != WEIR_OK) return base::error(base::Code::kInvalid, "declined");
                                    return {};
                                  });
  if (!restored) return false;
  engine_options_.plugin = "test.sums";
  engine_options_.tick_every = std::chrono::milliseconds(1);
  engine_options_.wall_ns = [this] { return clock_ == 0 ? 0 : kBase + clock_; };
  engine_ = std::make_unique<StatefulConsumer>(
      *journal_, place, std::make_unique<graph::Pipeline>(std::vector<graph::NodeSpec>(), from_), call, state_,
      engine_options_);
  engine_->start();
  return true;
}

void StatefulTest::stop() {
  if (engine_) {
    EXPECT_TRUE(engine_->stop(test::kPatience));
  }
  engine_.reset();
  sums_.reset();
}

void StatefulTest::close() {
  stop();
  journal_.reset();
}

void StatefulTest::restart_after_cut(test::CutMode mode) {
  machine_.power_cut(mode);
  close();
  open();
  ASSERT_TRUE(start());
}

bool StatefulTest::store(const std::vector<Reading>& readings, int64_t received, const std::string& source) {
  sdk::BatchBuilder builder;
  journal::Offer offer;
  for (const Reading& reading : readings) {
    weir_event_v1& event = builder.add();
    if (reading.received != 0) {
      event.received_ns = kBase + reading.received;
      offer.derivation = journal::Derivation{journal_->head(), 0};
    }
    event.device_id = builder.text(reading.device);
    event.sensor_type = builder.text(reading.sensor);
    event.timestamp_ns = kBase + reading.timestamp;
    event.value_type = WEIR_I64;
    event.value.i64 = reading.value;
  }
  offer.listener = this;
  offer.source = journal_->intern(source);
  offer.block = event::Block::copy(builder.finish());
  offer.received_ns = kBase + received;
  offer.token = ++tokens_;
  uint64_t token = tokens_;
  journal_->offer(std::move(offer));
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, test::kPatience, [&] { return settled_.contains(token); }));
  return settled_[token];
}

void StatefulTest::drain() {
  // Twice the same head: what it derives is in the journal too, and passes by it.
  EXPECT_TRUE(test::wait_until([&] {
    uint64_t head = journal_->head();
    ConsumerStatus now = engine_->status();
    return now.pending == 0 && now.position == head + 1 && journal_->head() == head;
  }));
}

std::vector<journal::StoredBatch> StatefulTest::rows() {
  std::vector<journal::StoredBatch> rows;
  journal::Reader reader(*journal_);
  for (uint64_t at = 1; at <= journal_->head();) {
    size_t before = rows.size();
    EXPECT_OK(reader.read(at, 1 << 20, &rows));
    if (rows.size() == before) break;
    at = rows.back().last() + 1;
  }
  return rows;
}

std::vector<std::string> StatefulTest::derived() {
  std::vector<std::string> events;
  for (const journal::StoredBatch& row : rows()) {
    if (row.source != kName) continue;
    auto fault = event::validate(row.block->data(), row.block->size(), event::Check::kMemorySafe);
    EXPECT_FALSE(fault) << fault->field << " " << fault->message;
    for (uint32_t i = 0; i < row.count; ++i) events.push_back(text_of(*row.block, i));
  }
  return events;
}

std::vector<std::string> StatefulTest::brief() {
  std::vector<std::string> events;
  for (const journal::StoredBatch& row : rows()) {
    if (row.source != kName) continue;
    for (uint32_t i = 0; i < row.count; ++i) {
      sdk::EventView event(row.block->batch(), i);
      std::string cause;
      for (uint32_t k = 0; k < event.metadata_count(); ++k) {
        if (event.metadata(k).first == "weir.cause") cause = event.metadata(k).second;
      }
      events.push_back(std::string(event.device_id()) + " " + std::string(event.sensor_type()) + " " +
                       std::to_string(event.record().value.i64) + " @" +
                       std::to_string(event.record().timestamp_ns - kBase) + " by " + cause);
    }
  }
  return events;
}

StatefulTest::Reference StatefulTest::reference() {
  Reference reference;
  Sums sums;
  Discarded changes;
  graph::StatefulNode node(Sums::call(&sums), &changes);
  DerivedRow out(kName);
  graph::Answer answer;
  int64_t now = 0;
  auto collect = [&](int64_t tick_ns) {
    if (answer.outputs.block == nullptr) return;
    out.add(std::move(answer.outputs), *answer.input, now, tick_ns, 0);
    event::Block block = out.take();
    for (uint32_t i = 0; i < block.batch()->count; ++i) reference.derived.push_back(text_of(block, i));
  };
  auto so_far = journal::read_derived(*journal_, kName, 1);
  EXPECT_OK(so_far);
  auto tick = so_far->ticks.begin();
  auto ticks_before = [&](uint64_t sequence) {
    for (; tick != so_far->ticks.end() && tick->position < sequence; ++tick) {
      now = tick->tick_ns;
      EXPECT_TRUE(node.tick({tick->position, now}, &answer));
      collect(now);
    }
  };
  for (const journal::StoredBatch& row : rows()) {
    ticks_before(row.first);
    if (row.source != "api") {
      reference.counts.filtered += row.count;
      continue;
    }
    for (uint32_t i = 0; i < row.count; ++i) {
      event::Merger one;
      one.add(row.block->batch(), i);
      auto block = std::make_shared<const event::Block>(one.take());
      now = std::max(now, block->event(0)->received_ns);
      EXPECT_TRUE(node.process({row.first + i, now}, block, &answer));
      bool refused = !answer.refusals.empty();
      bool dead = refused && answer.refusals[0].fate == graph::Fate::kRejected;
      ++(dead ? reference.counts.dead : refused ? reference.counts.filtered : reference.counts.delivered);
      collect(0);
    }
  }
  ticks_before(UINT64_MAX);
  return reference;
}

void StatefulTest::expect_as_without_fault() {
  Reference wanted = reference();
  EXPECT_EQ(derived(), wanted.derived);
  ConsumerStatus now = status();
  EXPECT_EQ(now.state.counts.delivered, wanted.counts.delivered);
  EXPECT_EQ(now.state.counts.filtered, wanted.counts.filtered);
  EXPECT_EQ(now.state.counts.dead, wanted.counts.dead);
  EXPECT_EQ(now.committed, now.state.counts.sum() + now.pending);
  ASSERT_OK(journal_->state().sync(test::kPatience));
  auto letters = journal::count_dead_letters(machine_.files(), journal_->state().path());
  ASSERT_OK(letters);
  EXPECT_EQ((*letters)[kName], wanted.counts.dead);
}

}  // namespace weir::delivery
