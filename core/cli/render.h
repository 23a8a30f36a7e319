// The API's JSON as text for people. Pure: the same JSON gives the same text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weir::cli {

struct Style {
  bool colour = false;
};

std::string render_status(const nlohmann::json& status, Style style);
std::string render_journal(const nlohmann::json& journal);
std::string render_recount(const nlohmann::json& recount);
std::string render_trace(const nlohmann::json& trace);
std::string render_dead_list(const nlohmann::json& dead);
std::string render_dead(const nlohmann::json& letter);
std::string render_plugins(const nlohmann::json& plugins);
// The events of `weir map try`.
std::string render_mapped(const nlohmann::json& events);
// One line for `weir tail`, without a newline.
std::string render_event(const nlohmann::json& line);

}  // namespace weir::cli
