// The gateway: journal, plugins and instances put together, changed and taken apart.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "manifest/folder.h"
#include "plugin/catalog.h"
#include "runtime/status.h"

namespace weir::runtime {

// One event on its way: what was admitted, what each consumer made of it.
struct Trace {
  struct Leg {
    std::string consumer;
    std::string outcome;  // "settled", "pending", "dead"
    std::string detail;
  };
  std::string event_json;  // as admitted
  std::string source;
  uint64_t sequence = 0;
  std::string segment;     // "00000001.db"
  std::vector<Leg> legs;
};

// An event for `weir tail`.
struct TailLine {
  uint64_t sequence = 0;
  std::string source;
  std::string json;
};

struct TailPage {
  std::vector<TailLine> lines;
  uint64_t through = 0;  // looked at up to here: what to ask for next is behind it
};

class Gateway {
 public:
  struct Options {
    std::string manifests = "manifests";
    std::string program = "/proc/self/exe";          // runs `host --probe`
    std::vector<std::string> plugin_dirs;            // beside those of gateway.json: the built or installed one
  };

  // Reads the manifests, opens the journal, starts what is wanted. An instance that cannot be started (its port is
  // taken, its disk is full) does not keep the others from running; it is tried again. Wrong manifests do: then
  // *problems says what is wrong, and the error's code is kInvalid.
  static base::Result<std::unique_ptr<Gateway>> start(const Options& options, manifest::Problems* problems);
  ~Gateway();

  // The part of `weir check` that needs no running gateway: reads and checks, starts nothing.
  static manifest::LoadedSet check(const Options& options);

  // Runs until `stopping` is readable (an eventfd or a pipe): watches the folder, applies changes, retries what failed.
  void run(int stopping_fd);
  // Sources first, then what is in flight, then sinks; everything that was settled is on disk afterwards.
  void stop();

  // Reads the folder and applies the difference, as a whole or not at all. Any thread but run()'s callbacks.
  manifest::Problems apply();

  // All of the following: any thread.
  Status status() const;
  const manifest::GatewayConfig& config() const;
  std::vector<plugin::Candidate> plugins() const;
  // The first `limit` events behind `after` (0: the newest ones), of one source or of all (""). What one call looks
  // through is bounded: there can be more even when the page is not full.
  base::Result<TailPage> tail(const std::string& source, uint64_t after, size_t limit) const;
  base::Result<Trace> trace(const std::string& id) const;
  // Newest first, with a number below `before` (0: all).
  base::Result<std::vector<journal::DeadLetter>> dead_letters(int64_t before, uint64_t limit) const;
  base::Result<journal::DeadLetter> dead_letter(int64_t number) const;
  // Counts what is on disk again; a line for each consumer where it does not agree with the ledger.
  struct Recount {
    std::string consumer;
    uint64_t pending_ledger = 0, pending_disk = 0, dead_ledger = 0, dead_disk = 0;
    bool agrees = true;
  };
  base::Result<std::vector<Recount>> recount() const;
  // Gives up a detached cursor (or what `unrouted` holds): what it had pending is counted as discarded.
  base::Status forget(const std::string& consumer);

 private:
  struct Parts;
  static base::Result<std::vector<Recount>> recount(journal::Journal& journal);
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::runtime
