// enrich.dedupe: lets an event through the first time, and drops it when it comes again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "weir/plugin.hpp"

namespace weir::enrich {

// What was seen is remembered until the time (the largest receipt so far, less `lateness`) has passed the event's own time
// by `window`, and at most max_keys of it: beyond that what would be forgotten first is.
class Dedupe final : public sdk::StatefulTransform {
 public:
  static constexpr uint32_t kStateFormat = 1;
  static const char kSchema[];

  Dedupe(sdk::Host host, std::string_view config);

  void process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) override;
  void restore(uint32_t format_version, std::string_view key, std::string_view value) override;

 private:
  std::string identity(const sdk::EventView& event) const;
  void forget_until(int64_t watermark, sdk::Output& output);
  void forget_first(sdk::Output& output);

  bool by_id_ = false;
  bool drop_late_ = false;
  int64_t window_ns_ = 0, lateness_ns_ = 0;
  size_t max_keys_ = 0;
  std::map<std::string, int64_t, std::less<>> seen_;  // identity -> until when it is remembered
  std::set<std::pair<int64_t, std::string>> order_;   // the same, the first to be forgotten first
};

}  // namespace weir::enrich
