// A right plugin that leaves a thread_local with a destructor on every thread that calls it. Such an object
// pins its library until the thread ends, so this one unloads only from a host whose threads do.
#include <string>

#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;

thread_local std::string remembered;

// Long enough to be allocated, so that the destructor has something to do.
void touch() { remembered.assign(100, 'x'); }

__attribute__((constructor)) void touch_when_loaded() { touch(); }

class PinningSink final : public sdk::Sink {
 public:
  PinningSink(sdk::Host, std::string_view) { touch(); }
  void prepare(int64_t) override { touch(); }
  void submit(const weir_batch*, uint64_t, int64_t) override { touch(); }
};

constexpr sdk::Registration kComponents[] = {
    sdk::sink<PinningSink>("pin.sink", "Leaves a thread_local on every thread", R"({"type": "object"})")};

}  // namespace

WEIR_PLUGIN(kComponents)
WEIR_PLUGIN_NOTE("pin", "1.0.0", "\"pin.sink\":\"sink\"")
