// seeded.transform, pure, and with SEEDED_STATEFUL the stateful seeded.count, which numbers each device's events. See
// seeded.h.
#include <map>

#include "seeded.h"

namespace weir::seeded {
namespace {

class SeededTransform final : public Instance {
 public:
  using Instance::Instance;

  void stop() override {
    if (fault("uses-an-old-output") && last_ != nullptr) last_->keep(last_, 0);
  }

  weir_status process(const weir_batch* batch, sdk::Output output, weir_output* raw) {
    if (fault("slow-in-bulk") && batch->count == 1000) sleep_ms(1100);
    if (fault("blocks")) sleep_ms(30);
    if (fault("reads-the-last-batch") && last_batch_ != nullptr && last_batch_->magic == 0) write("strange");
    last_ = raw;
    last_batch_ = batch;
    if (fault("writes-into-the-batch") && batch->count > 0) {
      const_cast<weir_event_v1*>(weir_event_at(batch, 0))->value.i64 ^= 1;
    }
    for (uint32_t i = 0; i < batch->count; ++i) decide(batch, i, output);
    return WEIR_OK;
  }

  weir_status restore(uint32_t format, std::string_view key, std::string_view value, weir_error* error) {
    if (format != 1 && !fault("takes-any-format")) {
      return sdk::detail::fill(error, WEIR_E_UNSUPPORTED, "a state of another version", "", 0);
    }
    uint64_t count = 0;
    if (value.size() != sizeof count) {
      if (fault("crashes-on-a-cut-state")) std::abort();
      return fail(error, "the state is damaged");
    }
    std::memcpy(&count, value.data(), sizeof count);
    counts_[std::string(key)] = count;
    return WEIR_OK;
  }

  weir_status tick(sdk::Output output) {
    if (fault("decides-in-a-tick")) output.keep(0);
    if (!fault("ticks-by-the-wall-clock")) return WEIR_OK;
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    return output.put("ticked", std::to_string(now));
  }

 private:
  void decide(const weir_batch* batch, uint32_t i, sdk::Output& output) {
    const sdk::EventView event(batch, i);
    const bool third = event.record().sequence == 3;
    if (fault("forgets-an-event") && third) return;
    if (fault("names-no-event") && third) output.keep(batch->count);
    if (fault("depends-on-the-cut") && i == 0) output.amend_metadata(i, "first", "yes");
    if (fault("remembers") && ++seen_ % 5 == 0) return output.drop(i, "every fifth");
    if (fault("amends-not-a-number") && third) output.amend_number(i, 0.0 / zero_);
    if (fault("sets-host-metadata") && third) output.amend_metadata(i, "weir.auth.subject", "me");
    if (fault("puts-though-pure") && third) output.put("key", "value");
    if (fault("drops-without-a-reason") && third) return output.drop(i, "");
#ifdef SEEDED_STATEFUL
    count(event, i, output);
#endif
    output.keep(i);
    if (fault("decides-twice") && third) output.reject(i, 1, "after all");
  }

  [[maybe_unused]] void count(const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    const std::string device(event.device_id());
    const uint64_t now = ++counts_[device];
    output.amend_metadata(i, "count", std::to_string(now));
    if (fault("forgets-to-put") && device == "device-3") return;
    output.put(device, {reinterpret_cast<const char*>(&now), sizeof now});
  }

  weir_output* last_ = nullptr;
  const weir_batch* last_batch_ = nullptr;
  uint64_t seen_ = 0;
  double zero_ = 0.0;
  std::map<std::string, uint64_t> counts_;
};

SeededTransform& transform_of(void* self) { return static_cast<SeededTransform&>(of(self)); }

constexpr weir_transform_v1 kTransform = {
    [](void* self, const weir_transform_context*, const weir_batch* batch, weir_output* output, weir_error*) {
      return transform_of(self).process(batch, sdk::Output(output), output);
    },
#ifdef SEEDED_STATEFUL
    [](void* self, uint32_t format, weir_text key, const void* value, uint64_t size, weir_error* error) {
      return transform_of(self).restore(format, sdk::view(key), {static_cast<const char*>(value), size}, error);
    },
    [](void* self, const weir_transform_context*, weir_output* output, weir_error*) {
      return transform_of(self).tick(sdk::Output(output));
    },
    1, 0};
#define SEEDED_NAME "seeded.count"
#define SEEDED_KIND WEIR_TRANSFORM_STATEFUL
#else
    nullptr, nullptr, 0, 0};
#define SEEDED_NAME "seeded.transform"
#define SEEDED_KIND WEIR_TRANSFORM_PURE
#endif

constexpr const char* kRequired[] = {nullptr};
constexpr const char* kOptional[] = {WEIR_LOG, WEIR_METRICS, nullptr};

}  // namespace
}  // namespace weir::seeded

WEIR_PLUGIN_NOTE("seeded", "1.0.0", "\"" SEEDED_NAME "\":\"transform\"")
SEEDED_PLUGIN(weir::seeded::SeededTransform,
              weir::seeded::describe(WEIR_KIND_TRANSFORM, SEEDED_NAME, weir::seeded::kRequired, weir::seeded::kOptional,
                                     SEEDED_KIND),
              WEIR_TRANSFORM, weir::seeded::kTransform)
