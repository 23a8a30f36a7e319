#include "weir/mapping/template.h"

#include <algorithm>

#include "json_text.h"
#include "name.h"

namespace weir::mapping {
namespace {

bool refuse(TemplateFault* fault, size_t column, const std::string& why) {
  fault->column = column;
  fault->message = "column " + std::to_string(column) + ": " + why;
  return false;
}

}  // namespace

std::optional<Template> Template::compile(std::string_view text, TemplateFault* fault) {
  Template out;
  out.text_ = text;
  if (text.empty()) return refuse(fault, 1, "the template is empty"), std::nullopt;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('/', at), text.size());
    if (!out.levels_.empty() &&
        (out.levels_.back().kind == Kind::kRest || out.levels_.back().kind == Kind::kAnyRest)) {
      return refuse(fault, at, "nothing may follow what takes all levels that are left"), std::nullopt;
    }
    if (!out.add_level(text.substr(at, end - at), at + 1, fault)) return std::nullopt;
    at = end + 1;
  }
  return out;
}

bool Template::add_level(std::string_view level, size_t column, TemplateFault* fault) {
  if (level == "+" || level == "#") {
    levels_.push_back({level == "+" ? Kind::kAnyLevel : Kind::kAnyRest, "", ""});
    return true;
  }
  if (const size_t wild = level.find_first_of("+#"); wild != std::string_view::npos)
    return refuse(fault, column + wild, "+ and # must be a whole level");
  const size_t open = level.find_first_of("{}");
  if (open == std::string_view::npos) {
    levels_.push_back({Kind::kText, std::string(level), ""});
    return true;
  }
  if (level[open] == '}') return refuse(fault, column + open, "there is no { before this }");
  return add_variable(level, open, column, fault);
}

bool Template::add_variable(std::string_view level, size_t open, size_t column, TemplateFault* fault) {
  const size_t close = level.find('}', open);
  if (close == std::string_view::npos)
    return refuse(fault, column + open, "there is no } behind this { before the next /");
  std::string_view name = level.substr(open + 1, close - open - 1);
  const bool rest = name.ends_with("...");
  if (rest) name.remove_suffix(3);
  if (!is_name(name)) return refuse(fault, column + open + 1, shown(name) + " is not a name: " + kNameRule);
  if (std::find(names_.begin(), names_.end(), name) != names_.end())
    return refuse(fault, column + open + 1, shown(name) + " appears twice");
  const std::string_view behind = level.substr(close + 1);
  if (const size_t next = behind.find_first_of("{}"); next != std::string_view::npos)
    return refuse(fault, column + close + 1 + next, "a level has one variable at most");
  if (rest && !behind.empty())
    return refuse(fault, column + close + 1, "nothing may follow what takes all levels that are left");
  names_.emplace_back(name);
  levels_.push_back(
      {rest ? Kind::kRest : Kind::kVariable, std::string(level.substr(0, open)), std::string(behind)});
  return true;
}

bool Template::match(std::string_view subject, std::vector<std::string_view>* values,
                     TemplateFault* fault) const {
  values->clear();
  size_t at = 0;
  for (const Level& level : levels_) {
    if (level.kind == Kind::kAnyRest) return true;
    if (at > subject.size())
      return refuse(fault, subject.size() + 1, "it ends too early for " + shown(text_));
    const size_t end =
        level.kind == Kind::kRest ? subject.size() : std::min(subject.find('/', at), subject.size());
    std::string_view given = subject.substr(at, end - at);
    if (level.kind == Kind::kText && given != level.before)
      return refuse(fault, at + 1,
                    "it has " + shown(given) + " where " + shown(text_) + " has " + shown(level.before));
    if (level.kind == Kind::kVariable || level.kind == Kind::kRest) {
      if (given.size() <= level.before.size() + level.behind.size() || !given.starts_with(level.before) ||
          !given.ends_with(level.behind)) {
        return refuse(fault, at + 1,
                      "it has " + shown(given) + " where " + shown(text_) + " has " +
                          shown(level.before + "{" + names_[values->size()] + "}" + level.behind));
      }
      given.remove_prefix(level.before.size());
      given.remove_suffix(level.behind.size());
      values->push_back(given);
    }
    at = end + 1;
  }
  return at > subject.size() || refuse(fault, at, "it goes on where " + shown(text_) + " ends");
}

std::string Template::topic_filter() const {
  std::string out;
  for (const Level& level : levels_) {
    if (&level != &levels_.front()) out += '/';
    switch (level.kind) {
      case Kind::kText:
        out += level.before;
        break;
      case Kind::kVariable:
      case Kind::kAnyLevel:
        out += '+';
        break;
      default:
        out += '#';
    }
  }
  return out;
}

}  // namespace weir::mapping
