// A component in a child process, as the gateway uses it: the same tables as those of a library, behind which messages go
// to the child. When the child dies or hangs it is started again, and what it held is given again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "event/block.h"
#include "isolation/host_relay.h"
#include "isolation/link.h"
#include "isolation/suspects.h"
#include "plugin/instance.h"

namespace weir::isolation {

struct RemoteOptions {
  std::string name;     // the instance's
  std::string program;  // the gateway's own binary
  std::string library;  // the plugin's file
  std::string version;  // of the plugin
  plugin::Component component;
  std::string gateway_id;
  uint64_t memory_bytes = uint64_t{256} << 20;  // of private memory; 0: no limit
  uint64_t ring_bytes = uint64_t{1} << 20;
  // The wait before the n-th restart in a row doubles from first to last; a child that ran for `calm` starts the row anew.
  base::Duration first_restart = std::chrono::milliseconds(100), last_restart = std::chrono::seconds(30);
  base::Duration calm = std::chrono::minutes(1);
  base::Duration data_call_limit = kDataCallLimit;  // a call that must not block hangs when it takes longer
  base::Duration silence_limit = kSilenceLimit;     // a process that does not answer for so long hangs
};

// What makes an instance of it. Every instance has a child of its own.
plugin::Binding bind_remote(const RemoteOptions& options);

// The self of an instance. Life-cycle calls come from one thread at a time, as plugin::Instance makes them; data calls
// from the threads that the ABI names.
class Remote {
 public:
  Remote(const RemoteOptions& options, weir_host* host, std::string_view config);
  ~Remote();

  // Every instance's life, see weir/component.h.
  weir_status create(weir_error* error);
  weir_status step(Step step, int64_t deadline_ns, weir_error* error);
  void destroy();
  plugin::Health health();
  plugin::ProcessInfo process_info() const;
  void interrupt();  // see plugin::Instance::interrupt

  // remote_source.cpp
  void settled(const weir_settlement* settlements, uint32_t n);
  void credit(uint64_t events, uint64_t bytes);

  // remote_transform.cpp
  weir_status process(const weir_transform_context& context, const weir_batch* batch, weir_output* output,
                      weir_error* error);
  weir_status restore(uint32_t format, std::string_view key, std::string_view value, weir_error* error);
  weir_status tick(const weir_transform_context& context, weir_output* output, weir_error* error);

  // remote_sink.cpp
  void limits(weir_sink_limits* limits);
  weir_status submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns, weir_error* error);
  void cancel(uint64_t token);

 private:
  // A batch on its way. Careful: its events are given one by one, `next` is with the child, which has nothing else then.
  struct Submitted {
    const weir_batch* batch = nullptr;
    int64_t deadline_ns = 0;
    bool careful = false;
    uint64_t given = 0;  // the number under which the child knows it; 0: it waits for its turn
    uint32_t next = 0;
    std::shared_ptr<const event::Block> one = {};  // the event that is with the child
    std::vector<weir_sink_result> results;
    std::vector<std::string> reasons;  // of the results, whose texts are set at the end
    void add(const weir_sink_result& result);
  };

  base::Result<std::shared_ptr<Link>> start_child(base::Monotonic deadline);
  void received(Link& link, uint64_t child, Message message, std::string_view body);
  void child_ended(uint64_t child);
  std::shared_ptr<Link> link() const;
  std::string down_text() const;

  // The keeper starts the child again while the instance runs.
  void keep_alive();
  base::Status restart();
  std::shared_ptr<Link> install(std::shared_ptr<Link> child);
  bool wait_before(uint32_t restarts);

  // remote_source.cpp
  void tell_credit(Link& link) const;
  void emitted(Link& link, uint64_t child, Reader body);
  // remote_transform.cpp
  std::shared_ptr<Link> wait_for_child();
  void remember_put(std::string_view key, std::string_view value);
  friend struct PutRecorder;
  weir_status process_one_by_one(const weir_transform_context& context, const weir_batch* batch, weir_output* output);
  struct Events {  // of a batch
    uint32_t from = 0, count = 0;
  };
  bool ask(Message message, std::initializer_list<std::string_view> parts, Events about, weir_output* output,
           weir_status* status, std::string* text);
  // remote_sink.cpp
  void completed(Link& link, Reader body);
  void not_taken(Link& link, Reader body);
  std::string message_for(Submitted& submitted, uint64_t token, std::string_view* batch);
  void give_next(Link& link);
  void finish_one(Link& link, uint64_t token, const weir_sink_result& result);
  void conclude(Submitted& submitted, const std::string& how);
  void complete(uint64_t token, Submitted& submitted);
  void complete(uint64_t token, const std::vector<weir_sink_result>& results);

  const RemoteOptions options_;
  weir_host* const host_;
  const std::string config_;
  HostRelay relay_;
  const weir_log_v1* const log_;
  const weir_metrics_v1* const metrics_;
  const weir_ingress_v1* const ingress_;
  const weir_delivery_v1* const delivery_;
  weir_metric restarts_metric_ = 0, memory_metric_ = 0;

  mutable std::mutex mutex_;  // what follows
  std::condition_variable changed_;
  std::shared_ptr<Link> link_;      // that serves; one that has ended stays until it is replaced
  std::shared_ptr<Link> starting_;  // that the keeper brings up
  // Each child has a number: that which was started last, that of link_, and the last one that has ended.
  uint64_t started_ = 0, serving_ = 0, ended_ = 0;
  bool paused_ = false, ending_ = false, interrupted_ = false;
  std::optional<std::pair<uint64_t, uint64_t>> credit_;  // events and bytes, as the door said last
  base::Monotonic up_since_{};
  plugin::Health health_;
  std::string restart_failure_;
  uint64_t restarts_ = 0, memory_bytes_ = 0;

  struct Emitted {
    uint64_t child = 0;   // which one emitted it
    uint64_t number = 0;  // what it calls it
  };
  std::unordered_map<uint64_t, Emitted> emitted_;  // by the token that the door knows
  uint64_t next_token_ = 1;

  std::map<uint64_t, Submitted> submitted_;  // by the consumer's token
  std::map<uint64_t, uint64_t> given_;       // the consumer's token, by the number that the child has
  uint64_t next_given_ = 1;                  // never used twice
  uint64_t late_ = 0;                        // completions of nothing that is with the child
  Suspects suspects_;

  std::map<std::string, std::string> state_;  // of a stateful transform, for its next child

  std::thread keeper_;
};

}  // namespace weir::isolation
