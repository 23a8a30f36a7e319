// That a transform's output depends on the events alone, and a stateful one's state is all that it remembers.
#include <algorithm>
#include <optional>

#include "check/checks.h"
#include "check/work.h"

namespace weir::check {
namespace {

constexpr uint32_t kEvents = 600;
constexpr size_t kShown = 160;

// What a run of events came to: the decisions in the events' order, and the state.
struct Outcome {
  std::vector<std::string> decisions;
  std::map<std::string, std::string> state;
};

std::string shortened(const std::string& text) {
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

void append(Outcome& outcome, const std::vector<std::string>& decisions) {
  outcome.decisions.insert(outcome.decisions.end(), decisions.begin(), decisions.end());
}

// Sizes of pieces that are as uneven as a gateway's: 1, 7, 64, 3 ... the same each time.
uint32_t piece(uint32_t i) {
  static constexpr uint32_t kSizes[] = {1, 7, 64, 3, 1, 120, 2, 33};
  return kSizes[i % std::size(kSizes)];
}

// Gives events [from, to) in pieces, or at once.
void feed(TransformWork& work, std::span<const Sample> samples, size_t from, size_t to, bool in_pieces, Outcome& outcome) {
  for (uint32_t i = 0; from < to; ++i) {
    const size_t size = in_pieces ? std::min<size_t>(piece(i), to - from) : to - from;
    append(outcome, work.process(samples.subspan(from, size), from));
    from += size;
  }
}

// A fresh instance that is given all of it. Nothing when it does not live.
std::optional<Outcome> run(Trial& trial, std::span<const Sample> samples, bool in_pieces) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return std::nullopt;
  Outcome outcome;
  TransformWork work(trial, subject);
  feed(work, samples, 0, samples.size(), in_pieces, outcome);
  outcome.state = work.state();
  if (!subject.down()) return std::nullopt;
  return outcome;
}

// A finding when they differ.
bool same(Trial& trial, const Outcome& first, const Outcome& second, const std::string& what) {
  for (size_t i = 0; i < first.decisions.size() && i < second.decisions.size(); ++i) {
    if (first.decisions[i] == second.decisions[i]) continue;
    trial.find(what + ": event " + std::to_string(i) + " comes to \"" + shortened(first.decisions[i]) + "\" and then to \"" +
               shortened(second.decisions[i]) + "\"");
    return false;
  }
  if (first.state == second.state) return true;
  trial.find(what + ": the state at the end differs");
  return false;
}

// Everything that a batch may hold, in one list with growing sequences and times.
std::vector<Sample> mixed() {
  std::vector<Sample> samples = ordinary(kEvents);
  for (auto* more : {&all_values, &hostile_texts}) {
    for (Sample& sample : more()) samples.push_back(std::move(sample));
  }
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i].sequence = i + 1;
    samples[i].received_ns = samples[0].received_ns + static_cast<int64_t>(i / kSamplesEach * kSamplesEach) * 100'000'000;
  }
  return samples;
}

// The state of `samples` up to `cut`, restored in a new instance that goes on from there.
bool goes_on(Trial& trial, std::span<const Sample> samples, size_t cut, const Outcome& whole) {
  Outcome pieced;
  std::map<std::string, std::string> state;
  {
    Estate estate;
    Subject before(trial, estate);
    if (!before.up()) return false;
    TransformWork work(trial, before);
    feed(work, samples, 0, cut, false, pieced);
    state = work.state();
    // Not stopped in order: what a crash leaves is the state alone.
  }
  Estate estate;
  Subject after(trial, estate);
  if (!after.must("create", after.create()) || !after.must("prepare", after.prepare())) return false;
  TransformWork work(trial, after);
  if (!after.must("restore", work.restore(state, trial.transform()->state_format))) return false;
  if (!after.must("start", after.start())) return false;
  feed(work, samples, cut, samples.size(), false, pieced);
  pieced.state = work.state();
  return same(trial, whole, pieced, "run through, and with a restart from its state at event " + std::to_string(cut)) && after.down();
}

}  // namespace

void check_cut_independence(Trial& trial) {
  const auto samples = mixed();
  auto whole = run(trial, samples, false);
  auto pieces = whole ? run(trial, samples, true) : std::nullopt;
  if (pieces) same(trial, *whole, *pieces, "as one batch, and cut into many");
}

void check_pure(Trial& trial) {
  const auto samples = mixed();
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  TransformWork work(trial, subject);
  Outcome first, again, backwards;
  feed(work, samples, 0, samples.size(), false, first);
  feed(work, samples, 0, samples.size(), false, again);
  if (!same(trial, first, again, "the same batch twice")) return;
  // The second half first, then put into order again.
  const size_t half = samples.size() / 2;
  feed(work, samples, half, samples.size(), true, backwards);
  Outcome front;
  feed(work, samples, 0, half, true, front);
  front.decisions.insert(front.decisions.end(), backwards.decisions.begin(), backwards.decisions.end());
  if (!same(trial, first, front, "in order, and with the later batches first")) return;
  subject.down();
  auto fresh = run(trial, samples, false);
  if (fresh) same(trial, first, *fresh, "by one instance, and by another with the same configuration");
}

void check_state_round_trip(Trial& trial) {
  const auto samples = ordinary(kEvents);
  auto whole = run(trial, samples, false);
  if (!whole) return;
  for (size_t cut : {size_t{0}, size_t{1}, size_t{kEvents / 3}, size_t{kEvents / 2}, size_t{kEvents - 1}}) {
    if (!goes_on(trial, samples, cut, *whole)) return;
  }
}

void check_state_declined(Trial& trial) {
  Outcome outcome;
  std::map<std::string, std::string> state;
  Estate estate;
  {
    Subject writer(trial, estate);
    if (!writer.up()) return;
    TransformWork work(trial, writer);
    feed(work, ordinary(kEvents), 0, kEvents, false, outcome);
    state = work.state();
  }
  const uint32_t format = trial.transform()->state_format;
  auto damaged = state;
  for (auto& [key, value] : damaged) value.assign(value.size(), '\xFF');
  auto cut = state;
  for (auto& [key, value] : cut) value.resize(1);
  const std::pair<const char*, std::pair<std::map<std::string, std::string>, uint32_t>> cases[] = {
      {"of a later format", {state, format + 1}},
      {"of a much later format", {state, UINT32_MAX}},
      {"that is damaged", {damaged, format}},
      {"that is cut short", {cut, format}},
      {"with an unknown key", {{{"weir-check-no-such-key", "x"}}, format}}};
  for (const auto& [what, given] : cases) {
    Subject reader(trial, estate);
    if (!reader.must("create", reader.create()) || !reader.must("prepare", reader.prepare())) return;
    Doing doing(trial.board(), std::string("restore of a state ") + what, 2 * trial.job().call_limit);
    Answer answer = TransformWork(trial, reader).restore(given.first, given.second);
    // Whether it takes it is its own affair; a later format is one that it cannot know.
    if (given.second != format && answer.ok() && !state.empty()) {
      trial.find(std::string("restore() takes a state ") + what + " as if it could read it: answer WEIR_E_UNSUPPORTED");
    }
  }
}

void check_tick(Trial& trial) {
  if (trial.transform()->tick == nullptr) return trial.note("it has no tick()");
  Outcome outcomes[2];
  for (Outcome& outcome : outcomes) {
    Estate estate;
    Subject subject(trial, estate);
    if (!subject.up()) return;
    TransformWork work(trial, subject);
    const auto samples = ordinary(kEvents);
    feed(work, samples, 0, kEvents / 2, false, outcome);
    int64_t now = samples[kEvents / 2 - 1].received_ns;
    for (int64_t step : {int64_t{0}, int64_t{1}, int64_t{60'000'000'000}, int64_t{3'600'000'000'000}}) {
      if (!subject.must("tick", work.tick(now += step, kEvents / 2))) return;
    }
    outcome.state = work.state();
    if (!subject.down()) return;
  }
  same(trial, outcomes[0], outcomes[1], "the same events and ticks twice");
}

}  // namespace weir::check
