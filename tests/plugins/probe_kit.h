// What the three components of probe-kit share.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "weir/plugin.hpp"

namespace weir::probe_kit {

[[noreturn]] inline void hang() {
  for (;;) ::pause();
}

// "hang" and "fail" of the configuration.
class Misbehaviour {
 public:
  explicit Misbehaviour(const nlohmann::json& config)
      : hang_(config.value("hang", "")), fail_(config.value("fail", "")) {}

  void at(std::string_view call) const {
    if (hang_ == call) hang();
    if (fail_ == call) throw sdk::Failure(WEIR_E_UNAVAILABLE, "told to fail in " + fail_, "/fail");
  }

 private:
  std::string hang_;
  std::string fail_;
};

// A component whose life-cycle calls misbehave when they are told to. A derived class calls these first.
template <class Base>
class Misbehaving : public Base {
 public:
  explicit Misbehaving(const nlohmann::json& config) : misbehaviour_(config) { misbehaviour_.at("create"); }
  void prepare(int64_t) override { misbehaviour_.at("prepare"); }
  void start(int64_t) override { misbehaviour_.at("start"); }
  void pause(int64_t) override { misbehaviour_.at("pause"); }
  void resume(int64_t) override { misbehaviour_.at("resume"); }
  void drain(int64_t) override { misbehaviour_.at("drain"); }
  void stop(int64_t) override { misbehaviour_.at("stop"); }

 protected:
  const Misbehaviour misbehaviour_;
};

class Devices {
 public:
  Devices(const nlohmann::json& config, const char* key)
      : ids_(config.value(key, std::vector<std::string>{})) {}
  bool contain(std::string_view id) const { return std::find(ids_.begin(), ids_.end(), id) != ids_.end(); }
  bool empty() const { return ids_.empty(); }

 private:
  std::vector<std::string> ids_;
};

// Lines appended to a file with one write each, so that they survive a kill -9 of the gateway. "" is no file.
class LineLog {
 public:
  explicit LineLog(const std::string& path) {
    if (path.empty()) return;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) throw sdk::Failure(WEIR_E_UNAVAILABLE, "cannot open " + path, "/log");
  }
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;
  ~LineLog() {
    if (fd_ >= 0) ::close(fd_);
  }
  void write(const std::string& lines) const {
    if (fd_ >= 0 && ::write(fd_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) {
      throw sdk::Failure(WEIR_E_UNAVAILABLE, "cannot write the log");
    }
  }

 private:
  int fd_ = -1;
};

}  // namespace weir::probe_kit
