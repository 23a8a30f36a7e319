// The JSON of the API, version 1: a contract with whoever reads it. docs/internals/admin.md lists the paths.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/gateway.h"

namespace weir::admin {

nlohmann::ordered_json status_json(const runtime::Status& status);
nlohmann::ordered_json journal_json(const journal::Statistics& statistics);
nlohmann::ordered_json trace_json(const runtime::Trace& trace);
nlohmann::ordered_json dead_letter_json(const journal::DeadLetter& letter, const std::string& gateway_id, bool whole);
nlohmann::ordered_json plugins_json(const std::vector<plugin::Candidate>& candidates);
nlohmann::ordered_json problems_json(const manifest::Problems& problems);

// {"gateway","storage","network","uptime_hours"}; *ok is false when one of them is not "ok".
nlohmann::ordered_json health_json(const runtime::Status& status, bool* ok);
// {"ready","waiting_for":[...]}
nlohmann::ordered_json ready_json(const runtime::Status& status);

}  // namespace weir::admin
