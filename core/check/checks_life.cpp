// The life of an instance: every order of calls that component.h allows, and calls from every side.
#include <atomic>
#include <functional>
#include <thread>

#include "check/checks.h"
#include "check/work.h"

namespace weir::check {
namespace {

// A call that must not block ("return within a millisecond") may wait for a processor on a loaded machine, so the
// fastest of several tries counts, against far more than a millisecond.
constexpr int kTries = 5;
constexpr base::Duration kBlocks = std::chrono::milliseconds(20);
// Past a deadline a call may still wake late.
constexpr base::Duration kLate = std::chrono::milliseconds(1500);

using Call = Answer (Subject::*)(int64_t);
struct Step {
  const char* name;
  Call call;
};
constexpr Step kPrepare{"prepare", &Subject::prepare}, kStart{"start", &Subject::start}, kPause{"pause", &Subject::pause},
    kResume{"resume", &Subject::resume}, kDrain{"drain", &Subject::drain}, kStop{"stop", &Subject::stop};

// One life with these steps after create; destroyed at the end, wherever that is.
bool live(Trial& trial, const std::vector<Step>& steps) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.must("create", subject.create())) return false;
  std::string so_far = "create";
  for (const Step& step : steps) {
    if (step.call == kStart.call && trial.is(plugin::Kind::kSource)) {
      subject.host().settler().open(trial.source(), subject.self(), Door::kAccept);
    }
    Answer answer = (subject.*step.call)(0);
    so_far += std::string(", ") + step.name;
    if (!answer.ok()) {
      trial.find("after the calls " + so_far + ": " + step.name + "() failed with status " + std::to_string(answer.status) +
                 ": " + answer.text);
      return false;
    }
  }
  Doing doing(trial.board(), "destroy after " + so_far, trial.job().call_limit);
  subject.destroy();
  return true;
}

void expect_quick(Trial& trial, const char* what, const std::function<void()>& call) {
  base::Duration fastest = std::chrono::hours(1);
  for (int i = 0; i < kTries; ++i) {
    const base::Monotonic begin = base::now();
    Doing doing(trial.board(), what, trial.job().call_limit);
    MustNotBlock here;
    call();
    fastest = std::min<base::Duration>(fastest, base::now() - begin);
  }
  if (fastest > kBlocks) {
    trial.find(std::string(what) + "() never took less than " + base::human_duration(fastest) + ", and must not block");
  }
}

}  // namespace

void check_life_cycle(Trial& trial) { live(trial, {kPrepare, kStart, kPause, kResume, kDrain, kStop}); }

void check_work(Trial& trial) {
  Estate estate;
  for (int lives = 0; lives < 2; ++lives) {
    Subject subject(trial, estate);
    if (!subject.up()) return;
    subject.health();
    ordinary_work(trial, subject, estate);
    if (!subject.must("pause", subject.pause()) || !subject.must("resume", subject.resume())) return;
    ordinary_work(trial, subject, estate, 1);
    if (!subject.down()) return;
  }
}

void check_life_orders(Trial& trial) {
  const std::vector<std::vector<Step>> orders = {
      {},
      {kPrepare},
      {kPrepare, kStart},
      {kPrepare, kStart, kStop},
      {kPrepare, kStart, kPause},
      {kPrepare, kStart, kPause, kStop},
      {kPrepare, kStart, kPause, kDrain, kStop},
      {kPrepare, kStart, kPause, kDrain},
      {kPrepare, kStart, kDrain},
      {kPrepare, kStart, kDrain, kStop},
      {kPrepare, kStart, kPause, kResume, kPause, kResume, kPause, kResume, kStop},
      {kPrepare, kStart, kPause, kResume, kDrain, kStop},
  };
  for (const auto& order : orders) {
    if (!live(trial, order)) return;
  }
}

void check_deadlines(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.must("create", subject.create())) return;
  for (const Step& step : {kPrepare, kStart, kPause, kResume, kDrain, kStop}) {
    if (step.call == kStart.call && trial.is(plugin::Kind::kSource)) {
      subject.host().settler().open(trial.source(), subject.self(), Door::kAccept);
    }
    const base::Monotonic begin = base::now();
    Answer hurried = (subject.*step.call)(base::monotonic_ns(begin) - 1);
    if (base::now() - begin > kLate) {
      trial.find(std::string(step.name) + "() took " + base::human_duration(base::now() - begin) +
                 " although its deadline had passed before");
    }
    // A failed call leaves the instance where it was, so it can be made again with more time.
    if (!hurried.ok() && !subject.must(step.name, (subject.*step.call)(0))) return;
  }
  subject.destroy();
}

void check_two_instances(Trial& trial) {
  Estate estate;
  Subject first(trial, estate);
  if (!first.up()) return;
  {
    Subject second(trial, estate);
    if (!second.must("create", second.create())) return;
    // An exclusive one goes no further beside another: the gateway prepares it when its predecessor has gone.
    if (!trial.component().exclusive) {
      if (!second.must("prepare", second.prepare())) return;
      if (trial.is(plugin::Kind::kSource)) second.host().settler().open(trial.source(), second.self(), Door::kAccept);
      if (!second.must("start", second.start())) return;
      ordinary_work(trial, second, estate);
      ordinary_work(trial, first, estate);
      if (!second.down()) return;
    }
  }
  // The second has gone; the first must not notice.
  ordinary_work(trial, first, estate);
  first.down();
}

void check_optional_services(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate, {.only_required = true});
  if (!subject.up()) return;
  ordinary_work(trial, subject, estate);
  subject.down();
}

void check_health(Trial& trial) {
  Estate estate;
  {
    Subject early(trial, estate);
    if (!early.must("create", early.create())) return;
    early.health();
    if (!early.must("prepare", early.prepare())) return;
    early.health();
  }
  Subject subject(trial, estate);
  if (!subject.up()) return;
  std::atomic<bool> working{true};
  std::thread asking([&] {
    while (working) subject.health();
  });
  ordinary_work(trial, subject, estate, 20);
  working = false;
  asking.join();
  subject.down();
}

void check_does_not_block(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  expect_quick(trial, "health", [&] { subject.health(); });
  switch (trial.component().kind) {
    case plugin::Kind::kTransform: {
      TransformWork work(trial, subject);
      uint64_t position = 0;
      expect_quick(trial, "process", [&] { work.process(ordinary(1, position + 1), position), ++position; });
      break;
    }
    case plugin::Kind::kSink: {
      // One for each try: cancel is about a batch that the sink has.
      SinkWork work(trial, subject);
      expect_quick(trial, "cancel", [&] { work.cancel(UINT64_MAX); });
      break;
    }
    case plugin::Kind::kSource: {
      expect_quick(trial, "credit", [&] { trial.source()->credit(subject.self(), 1000, 1 << 20); });
      expect_quick(trial, "settled", [&] { trial.source()->settled(subject.self(), nullptr, 0); });
    }
  }
  subject.down();
}

}  // namespace weir::check
