// down.sink: a sink whose other side is away. It answers "try again later" to everything, so events stay pending:
// that is how the suite makes a backlog.
#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;

constexpr char kSchema[] = R"({"type": "object", "additionalProperties": false})";

class DownSink final : public sdk::Sink {
 public:
  DownSink(sdk::Host host, std::string_view /*config*/) : host_(host) {}

  void submit(const weir_batch* /*batch*/, uint64_t token, int64_t /*deadline_ns*/) override {
    weir_sink_result result{};
    result.outcome = WEIR_RETRY;
    host_.complete(token, {&result, 1});
  }

 private:
  sdk::Host host_;
};

constexpr sdk::Registration kComponents[] = {
    sdk::sink<DownSink>("down.sink", "Takes nothing: a sink whose other side is away", kSchema),
};

}  // namespace

WEIR_PLUGIN(kComponents)
WEIR_PLUGIN_NOTE("down", "1.0.0", "\"down.sink\":\"sink\"")
