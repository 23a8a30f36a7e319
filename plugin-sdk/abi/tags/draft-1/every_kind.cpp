// A source, a transform and a sink in one library, written against the headers of this tag. The source emits three
// events when it starts; the transform doubles them; the sink takes what is doubled.
#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;

constexpr char kNothing[] = R"({"type": "object", "additionalProperties": false})";

class Three final : public sdk::Source {
 public:
  Three(sdk::Host host, std::string_view) : host_(host) {}

  void start(int64_t) override {
    for (double value : {1.0, 2.0, 3.0}) {
      const weir_ref device_id = builder_.text("tag"), sensor_type = builder_.text("number");
      weir_event_v1& event = builder_.add();
      event.device_id = device_id;
      event.sensor_type = sensor_type;
      event.flags = WEIR_NO_DEVICE_TIME;
      event.value_type = WEIR_F64;
      event.value.f64 = value;
    }
    weir_emit_result result{};
    if (host_.emit(builder_.finish(), 1, &result) != WEIR_ACCEPTED) {
      throw sdk::Failure(WEIR_E_UNAVAILABLE, "the host does not take three events");
    }
  }
  void settled(std::span<const weir_settlement>) override {}

 private:
  sdk::Host host_;
  sdk::BatchBuilder builder_;
};

class Double final : public sdk::Transform {
 public:
  Double(sdk::Host, std::string_view) {}

  void process(const weir_transform_context&, const weir_batch* batch, sdk::Output& output) override {
    for (uint32_t i = 0; i < batch->count; ++i) {
      double value = 0;
      if (sdk::EventView(batch, i).number(&value)) {
        output.amend_number(i, value * 2);
      } else {
        output.drop(i, "no number");
      }
    }
  }
};

class Even final : public sdk::Sink {
 public:
  Even(sdk::Host host, std::string_view) : host_(host) {}

  void submit(const weir_batch* batch, uint64_t token, int64_t) override {
    std::vector<weir_sink_result> results;
    for (uint32_t i = 0; i < batch->count; ++i) {
      double value = 0;
      const bool even = sdk::EventView(batch, i).number(&value) && static_cast<int64_t>(value) % 2 == 0;
      results.push_back({even ? uint32_t{WEIR_DELIVERED} : uint32_t{WEIR_REJECT}, 0, 1, 0, sdk::text("odd")});
    }
    host_.complete(token, results);
  }

 private:
  sdk::Host host_;
};

constexpr sdk::Registration kComponents[] = {
    sdk::source<Three>("every.source", "Emits three events", kNothing),
    sdk::pure_transform<Double>("every.transform", "Doubles numbers", kNothing),
    sdk::sink<Even>("every.sink", "Takes even numbers", kNothing),
};

}  // namespace

WEIR_PLUGIN(kComponents)
WEIR_PLUGIN_NOTE("every", "1.0.0",
                 "\"every.source\":\"source\",\"every.transform\":\"transform\",\"every.sink\":\"sink\"")
