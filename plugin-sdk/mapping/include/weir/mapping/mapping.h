// Other people's JSON to events: a mapping document says where device, type, value, unit and time are.
//
//   {"template": "tele/{device_id}/SENSOR", "device": "{device_id}", "time": {"pointer": "/Time", "zone":
//   "Z"},
//    "readings": [{"type": "temperature", "value": "/AM2301/Temperature", "unit": "Cel"}]}
//
// docs/mapping.md is the manual of the document. A source compiles it once, when it is configured, and
// applies it to each payload:
//
//   MappingFault wrong;
//   auto mapping = Mapping::compile(json, {}, &wrong);   // wrong.pointer is relative to the document
//   MappedParser parser;
//   PayloadFault fault;
//   if (!parser.parse(*mapping, payload, {values, received_ns}, batch, &fault)) answer(fault.message);
//   else emit(batch.finish());
//
// A payload gives all of its events or none: the first value that does not fit refuses all of it, with its
// pointer and the reason. What the mapping calls optional may be missing, but not wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/batch.hpp"
#include "weir/mapping/template.h"

namespace weir::mapping {

struct Plan;

// Longer payloads are refused; so are 524,288 values, 4,096 members of one object, and 64 levels.
inline constexpr size_t kMaxPayloadBytes = 16u * 1024 * 1024;

// What is wrong with a mapping document.
struct MappingFault {
  std::string pointer;  // in the document (RFC 6901), "" for the whole of it
  std::string message;  // one line that makes sense without the pointer
};

// Why a payload gave no events.
struct PayloadFault {
  std::string pointer;  // in the payload: what does not fit, or where what is missing should be
  std::string rule;     // in the mapping document: what asked for it; "" when nothing did
  std::string message;  // one line that makes sense without the pointers, for the person who sent it
};

// A compiled document. Constant; any thread.
class Mapping {
 public:
  // `variables` are names that the caller knows values for (an HTTP source: what its route takes from the
  // path), beside those of the document's own template. Null, and *fault, when the document is wrong.
  static std::unique_ptr<const Mapping> compile(std::string_view json,
                                                std::span<const std::string_view> variables,
                                                MappingFault* fault);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // The document's "template", null without one. Matching a topic or path with it is the caller's part.
  const Template* address() const;
  // The names in the order in which MappedParser takes their values: the caller's, then the template's.
  const std::vector<std::string>& variables() const;

  const Plan& plan() const { return *plan_; }

 private:
  explicit Mapping(std::unique_ptr<const Plan> plan);
  std::unique_ptr<const Plan> plan_;
};

// What is known about a payload beside its bytes.
struct Arrival {
  std::span<const std::string_view> variables;  // one for each of Mapping::variables()
  int64_t received_ns = 0;  // when it came, Unix epoch; for SenML's relative times. 0: not known
};

// Applies mappings. Keeps its working memory, so use one for many payloads; one thread at a time.
class MappedParser {
 public:
  MappedParser();
  MappedParser(MappedParser&&) noexcept;
  MappedParser& operator=(MappedParser&&) noexcept;
  ~MappedParser();

  // Puts the payload's events into `out`, which is cleared first; out->finish() is left to the caller. On a
  // fault returns false, fills *fault and leaves `out` empty. True with no event only when the mapping says
  // "allow_empty". An event without a time of its own is flagged WEIR_NO_DEVICE_TIME.
  bool parse(const Mapping& mapping, std::string_view payload, const Arrival& arrival, sdk::BatchBuilder& out,
             PayloadFault* fault);

 private:
  class Applier;
  std::unique_ptr<Applier> applier_;
};

}  // namespace weir::mapping
