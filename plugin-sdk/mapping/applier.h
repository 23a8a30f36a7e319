// Applies a plan to one payload after the other. Every function that returns bool returns false when the
// fault has been filled.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json_tree.h"
#include "plan.h"
#include "value.h"
#include "weir/mapping/mapping.h"

namespace weir::mapping {

class MappedParser::Applier {
 public:
  bool apply(const Plan& plan, std::string_view payload, const Arrival& arrival, sdk::BatchBuilder& out,
             PayloadFault* fault);

 private:
  static constexpr uint32_t kNone = JsonTree::kNone;

  // Readings (apply_readings.cpp).
  bool variables();
  bool payload(std::string_view payload);
  bool readings();
  bool item(uint32_t node);
  bool reading(const Reading& rule);
  bool one(const Reading& rule, uint32_t base);
  bool fields(const Reading& rule, uint32_t object);
  bool field(const Reading& rule, uint32_t node);
  bool event(const Reading& rule, uint32_t base, const Value& value);
  bool sensor_type(const Reading& rule, uint32_t base, std::string_view* out);
  bool device(const Reading& rule, uint32_t base, weir_event_v1* event);
  bool time(const Reading& rule, uint32_t base, weir_event_v1* event);
  bool unit(const Reading& rule, uint32_t base, std::string_view type, weir_event_v1* event);
  bool event_metadata(const Reading& rule, uint32_t base);
  template <typename Use>
  bool each(const Each& rule, uint32_t base, bool optional, std::string_view* name, Use use);

  // SenML (apply_senml.cpp), RFC 8428.
  struct Pack;
  bool senml();
  bool record(Pack& pack, uint32_t node);
  bool record_field(Pack& pack, uint32_t node);
  bool record_value(Pack& pack, uint32_t node);
  bool record_event(Pack& pack, uint32_t node, const Value& value, bool sum);
  bool record_names(const Pack& pack, uint32_t node, bool sum, weir_event_v1* event);
  bool record_time(const Pack& pack, uint32_t node, weir_event_v1* event);

  // What both stand on (applier.cpp).
  // The node a pointer leads to from `base`, or kNone.
  uint32_t resolve(const Pointer& pointer, uint32_t base) const;
  std::string text_of(const Pointer& pointer, uint32_t base) const;
  std::string_view value_of(const Slot& slot) const;
  // A text filled in; it stays until the next call with the same scratch. Empty when all of it is optional
  // and missing.
  bool text(const TextRule& rule, uint32_t base, std::string* scratch, std::string_view* out);
  bool part(const TextRule& rule, const TextPart& part, uint32_t base, std::string_view* out);
  bool time_of(const TimeRule& rule, uint32_t base, int64_t* ns, bool* there);
  bool metadata(const std::vector<MetadataRule>& rules, uint32_t base);
  // Checks and stores a text of an event; `what` is its name in messages.
  bool store(const TextRule& rule, std::string_view text, const char* what, bool may_be_empty, weir_ref* out);
  void put(const Value& value, weir_event_v1* event);
  bool begin_event(const std::string& rule, weir_event_v1** event);
  bool end_event(const std::string& rule);
  std::string_view unit_name(std::string_view given) const;

  bool refuse(uint32_t node, std::string_view rule, const std::string& why) {
    return refuse_at(tree_.pointer(node), rule, why);
  }
  bool refuse_at(std::string pointer, std::string_view rule, const std::string& why);

  const Plan* plan_ = nullptr;
  const Arrival* arrival_ = nullptr;
  sdk::BatchBuilder* out_ = nullptr;
  PayloadFault* fault_ = nullptr;
  JsonTree tree_;

  // Where we are.
  uint32_t item_ = 0;
  std::string_view item_key_, key_;
  std::array<char, 12> item_digits_{}, key_digits_{};           // of an array's index
  std::vector<std::string_view> path_;                          // the keys below every_field's object
  std::string path_text_;                                       // joined by '.'
  std::string_view full_name_, base_name_, local_name_, unit_;  // of a SenML record

  // What all events of an item share, once it has been asked for.
  bool has_device_ = false, has_time_ = false, has_metadata_ = false;
  weir_ref device_{};
  int64_t time_ns_ = 0;
  bool time_there_ = false;
  uint32_t metadata_offset_ = 0, metadata_count_ = 0;

  std::string type_scratch_, scratch_, why_, full_name_scratch_, bytes_scratch_;
  std::vector<std::string> metadata_scratch_;
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
};

}  // namespace weir::mapping
