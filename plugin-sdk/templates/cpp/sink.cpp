// @name@.sink: appends a line an event to a file. Put your destination in the place of write().
#include <cstdio>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;

// A manifest's "config" is checked against this before an instance is made.
constexpr char kSchema[] = R"json({
  "type": "object", "additionalProperties": false, "required": ["path"],
  "properties": { "path": { "type": "string", "minLength": 1 } }
})json";

// One instance. submit(), prepare() and stop() never run at once; health() may run beside them.
class @class@ final : public sdk::Sink {
 public:
  @class@(sdk::Host host, std::string_view config)
      : host_(host), path_(nlohmann::json::parse(config).at("path").get<std::string>()) {}

  // May fail; nothing of it is visible outside yet.
  void prepare(int64_t) override {
    file_.reset(std::fopen(path_.c_str(), "ae"));
    if (file_ == nullptr) throw sdk::Failure(WEIR_E_UNAVAILABLE, path_ + " cannot be written", "/path");
  }
  void stop(int64_t) override { file_.reset(); }

  // 0 leaves the choice to the host. One batch in flight keeps everything in order.
  weir_sink_limits limits() override { return {1000, 0, 50, 1}; }

  // The batch stays valid until it is completed: here, or later from a thread of your own.
  void submit(const weir_batch* batch, uint64_t token, int64_t /*deadline_ns*/) override {
    bool written = true;
    for (uint32_t i = 0; i < batch->count && written; ++i) written = write(batch, sdk::EventView(batch, i));
    written = written && std::fflush(file_.get()) == 0;
    set_trouble(written ? "" : path_ + " cannot be written");
    // RETRY: the destination is at fault, and the events wait. REJECT: the event is, and goes to the dead letters. It can
    // be one result an event, too.
    const uint32_t outcome = written ? uint32_t{WEIR_DELIVERED} : uint32_t{WEIR_RETRY};
    const weir_sink_result result{outcome, 0, 0, 0, sdk::text(written ? "" : "the file cannot be written")};
    host_.complete(token, {&result, 1});
  }

  sdk::Health health() override {
    std::lock_guard lock(mutex_);
    return {trouble_.empty() ? uint32_t{WEIR_HEALTH_OK} : uint32_t{WEIR_HEALTH_DEGRADED}, trouble_};
  }

 private:
  // The key (gateway_id, epoch, sequence, part) is the event's for ever. Delivery is at least once: a destination that
  // stores by this key has each event once.
  bool write(const weir_batch* batch, const sdk::EventView& event) {
    const weir_event_v1& record = event.record();
    const std::string gateway(host_.gateway_id()), device(event.device_id());
    return std::fprintf(file_.get(), "%s %016llx %llu %u %s\n", gateway.c_str(),
                        static_cast<unsigned long long>(batch->epoch),
                        static_cast<unsigned long long>(record.sequence), record.part, device.c_str()) > 0;
  }

  void set_trouble(std::string text) {
    std::lock_guard lock(mutex_);
    trouble_ = std::move(text);
  }

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  sdk::Host host_;
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::mutex mutex_;
  std::string trouble_;
};

constexpr sdk::Registration kComponents[] = {
    sdk::sink<@class@>("@name@.sink", "Appends a line an event to a file", kSchema, WEIR_CAP_FS),
};

}  // namespace

WEIR_PLUGIN(kComponents)
// Read without running any code of the library; it must say the same as kComponents: {name: kind}.
WEIR_PLUGIN_NOTE("@name@", PLUGIN_VERSION, "\"@name@.sink\":\"sink\"")
