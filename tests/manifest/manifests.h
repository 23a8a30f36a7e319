// A folder of manifests for one test, the components it may name, and the messages that loading it gives.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/folder.h"
#include "support/temp_dir.h"

namespace weir::manifest {

// A catalog with fixed contents: what the runtime's answers from plugin files would be.
class FixedCatalog : public ComponentCatalog {
 public:
  FixedCatalog() {
    add("http.source", Kind::kSource, R"({
      "type": "object", "additionalProperties": false, "required": ["listen"],
      "properties": {
        "listen": { "type": "string", "pattern": "^.+:[0-9]+$", "description": "ADDRESS:PORT." },
        "max_body": { "type": "integer", "minimum": 1, "maximum": 65535 },
        "token": { "type": "string" },
        "mode": { "enum": ["fast", "safe"] }
      } })");
    add("enrich.units", Kind::kTransform, "");
    add("sqlite.sink", Kind::kSink, "");
  }

  void add(const std::string& name, Kind kind, const std::string& schema,
           const std::string& version = "1.2.0") {
    Component component;
    component.kind = kind;
    component.version = version;
    component.schema = schema;
    components_[name] = component;
  }

  base::Result<Component> find(const std::string& name, const VersionRange& range) const override {
    const auto found = components_.find(name);
    if (found == components_.end()) {
      return base::error(base::Code::kNotFound, "no plugin offers '" + name + "'", "",
                         "one of 'http.source' ...");
    }
    if (!range.contains(found->second.version)) {
      return base::error(base::Code::kInvalid, "there is only version " + found->second.version, "",
                         "a range that holds it");
    }
    return found->second;
  }

 private:
  std::map<std::string, Component> components_;
};

// A folder "manifests" that goes away with the test. Messages name it so: "manifests/api.json:1:2: ...".
class Manifests {
 public:
  Manifests() { std::filesystem::create_directory(folder()); }

  std::filesystem::path folder() const { return home_.path() / "manifests"; }
  std::filesystem::path home() const { return home_.path(); }

  Manifests& write(const std::string& name, std::string_view text) {
    home_.write("manifests/" + name, text);
    return *this;
  }
  // A file beside the manifests folder.
  Manifests& write_outside(const std::string& name, std::string_view text) {
    home_.write(name, text);
    return *this;
  }

  LoadedSet load() const { return load_folder(folder(), catalog); }

  // What is wrong, one text each, with the temporary folder's own path left out.
  std::vector<std::string> complaints() const {
    std::vector<std::string> texts;
    for (const Problem& problem : load().problems) texts.push_back(without_home(problem.text()));
    return texts;
  }

  std::string without_home(std::string text) const {
    const std::string prefix = home_.path().string() + "/";
    for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }

  FixedCatalog catalog;

 private:
  test::TempDir home_;
};

}  // namespace weir::manifest
