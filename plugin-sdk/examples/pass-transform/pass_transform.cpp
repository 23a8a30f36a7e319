// pass.transform: keeps every event as it is.
//
// The smallest complete transform in C++, and the file to copy when you begin your own. To use it:
//
//   // manifests/pass.json
//   { "plugin": "pass.transform", "from": ["api"] }
//
// The C++ layer (weir/plugin.hpp) is headers only and sits on top of the C interface: derive from Transform,
// list the class in kComponents, and describe the library in its note. Exceptions that your code throws
// become the status and the text that the operator sees; throw Failure to choose them.
#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;

// A manifest's "config" is checked against this JSON Schema (draft-07) before an instance is made, so an
// unknown key is refused with its line. This transform has nothing to configure.
constexpr char kSchema[] = R"({"type": "object", "additionalProperties": false})";

// One instance: what one manifest asked for. There can be many in one process, so nothing of it is ever
// global.
class PassTransform final : public sdk::Transform {
 public:
  // `config` is JSON text that fits the schema; it is valid only during the constructor. Where it is wrong
  // all the same, throw sdk::Failure(WEIR_E_INVALID, "what is wrong and what to do", "/the/key").
  PassTransform(sdk::Host /*host*/, std::string_view /*config*/) {}

  // Decides about every event of the batch: exactly one of keep, drop, reject, or at least one emit. This
  // transform is pure: the same event gives the same answer, however batches are cut and whenever it runs.
  // Needs no lock: calls for one instance are serial.
  void process(const weir_transform_context& /*context*/, const weir_batch* batch,
               sdk::Output& output) override {
    for (uint32_t i = 0; i < batch->count; ++i) output.keep(i);
  }
};

constexpr sdk::Registration kComponents[] = {
    sdk::pure_transform<PassTransform>("pass.transform", "Keeps every event as it is", kSchema),
};

}  // namespace

WEIR_PLUGIN(kComponents)

// Read without running any code of the library; it must say the same as kComponents: {name: kind}.
WEIR_PLUGIN_NOTE("pass", "1.0.0", "\"pass.transform\":\"transform\"")
