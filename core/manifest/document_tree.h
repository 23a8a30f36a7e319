// What a Document holds: the values, and a tree of the same shape that holds their places. Private to the
// folder.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "manifest/document.h"

namespace weir::manifest {

// A value's place. A tree and not a map of pointers: pointers repeat every key above them.
struct PlaceNode {
  Position key;  // line 0: an element or the root, which have no key
  Position value;
  std::map<std::string, std::unique_ptr<PlaceNode>, std::less<>> members;
  std::vector<PlaceNode> items;
};

struct Document::Tree {
  nlohmann::json root;
  PlaceNode places;
};

// Parses `text` into `root` and `places`. False when there are problems, which are added to `problems`.
bool parse_document(const std::string& file, std::string_view text, nlohmann::json& root, PlaceNode& places,
                    Problems& problems);

}  // namespace weir::manifest
