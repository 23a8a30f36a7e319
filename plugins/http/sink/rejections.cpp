#include "rejections.h"

#include <nlohmann/json.hpp>

#include "verdict.h"

namespace weir::http::sink {
namespace {

constexpr size_t kMostOfReason = 300;

}  // namespace

std::optional<Rejections> parse_rejections(std::string_view body, size_t count) {
  const auto tree = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) return std::nullopt;
  const auto list = tree.find("rejected");
  if (list == tree.end() || !list->is_array() || list->empty()) return std::nullopt;
  Rejections found;
  std::vector<bool> named(count);
  for (const auto& one : *list) {
    if (!one.is_object()) return std::nullopt;
    const auto index = one.find("index");
    if (index == one.end() || !index->is_number_unsigned() || index->get<uint64_t>() >= count) return std::nullopt;
    const auto place = index->get<uint32_t>();
    if (named[place]) return std::nullopt;
    named[place] = true;
    const auto reason = one.find("reason");
    const bool given = reason != one.end() && reason->is_string();
    found.rejected.push_back({place, given ? one_line(reason->get_ref<const std::string&>(), kMostOfReason) : ""});
  }
  const auto others = tree.find("others");
  found.others_stored = others != tree.end() && *others == "stored";
  return found;
}

}  // namespace weir::http::sink
