#include "check/job.h"

#include <nlohmann/json.hpp>

namespace weir::check {

std::string to_text(const Job& job) {
  return nlohmann::json{{"file", job.file},
                        {"component", job.component},
                        {"check", job.check},
                        {"config", job.config},
                        {"config_given", job.config_given},
                        {"call_limit_ms", job.call_limit.count()},
                        {"cycles", job.cycles},
                        {"stimulus", job.stimulus},
                        {"round", job.round}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

base::Result<Job> parse_job(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    Job job;
    job.file = json.at("file");
    job.component = json.at("component");
    job.check = json.at("check");
    job.config = json.at("config");
    job.config_given = json.at("config_given");
    job.call_limit = std::chrono::milliseconds(json.at("call_limit_ms").get<int64_t>());
    job.cycles = json.at("cycles");
    job.stimulus = json.at("stimulus");
    job.round = json.at("round");
    return job;
  } catch (const nlohmann::json::exception& exception) {
    return base::error(base::Code::kInvalid, std::string("is no job for a check: ") + exception.what(), "standard input");
  }
}

}  // namespace weir::check
