#include "manifest/document.h"

#include <charconv>

#include "manifest/document_tree.h"

namespace weir::manifest {
namespace {

const PlaceNode* find_child(const PlaceNode& node, const std::string& token) {
  if (auto member = node.members.find(token); member != node.members.end()) return member->second.get();
  size_t index = 0;
  auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool is_index = failed == std::errc{} && end == token.data() + token.size();
  return is_index && index < node.items.size() ? &node.items[index] : nullptr;
}

// The node at `pointer`, or the nearest one around it.
const PlaceNode& find_place(const PlaceNode& root, std::string_view pointer) {
  const PlaceNode* node = &root;
  for (const std::string& token : pointer_tokens(pointer)) {
    const PlaceNode* child = find_child(*node, token);
    if (child == nullptr) break;
    node = child;
  }
  return *node;
}

}  // namespace

Document::Document(std::string file, std::unique_ptr<Tree> tree)
    : file_(std::move(file)), tree_(std::move(tree)) {}
Document::~Document() = default;

std::shared_ptr<const Document> Document::parse(std::string file, std::string_view text, Problems& problems) {
  auto tree = std::make_unique<Tree>();
  if (!parse_document(file, text, tree->root, tree->places, problems)) return nullptr;
  return std::shared_ptr<const Document>(new Document(std::move(file), std::move(tree)));
}

const nlohmann::json& Document::root() const { return tree_->root; }

Position Document::value_position(std::string_view pointer) const {
  return find_place(tree_->places, pointer).value;
}

Position Document::key_position(std::string_view pointer) const {
  const PlaceNode& place = find_place(tree_->places, pointer);
  return place.key.line != 0 ? place.key : place.value;
}

Problem Document::value_problem(std::string pointer, std::string what, std::string expected) const {
  const Position position = value_position(pointer);
  return {file_, position, std::move(pointer), std::move(what), std::move(expected)};
}

Problem Document::key_problem(std::string pointer, std::string what, std::string expected) const {
  const Position position = key_position(pointer);
  return {file_, position, std::move(pointer), std::move(what), std::move(expected)};
}

std::string child_pointer(std::string_view pointer, std::string_view key) {
  std::string child(pointer);
  child += '/';
  for (char byte : key) {
    if (byte == '~') {
      child += "~0";
    } else if (byte == '/') {
      child += "~1";
    } else {
      child += byte;
    }
  }
  return child;
}

std::string child_pointer(std::string_view pointer, size_t index) {
  return std::string(pointer) + "/" + std::to_string(index);
}

std::vector<std::string> pointer_tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
      continue;
    }
    if (tokens.empty()) tokens.emplace_back();  // no pointer by the letter: the slash in front is missing
    const bool escape = pointer[i] == '~' && i + 1 < pointer.size();
    if (escape && pointer[i + 1] == '0') {
      tokens.back() += '~';
      ++i;
    } else if (escape && pointer[i + 1] == '1') {
      tokens.back() += '/';
      ++i;
    } else {
      tokens.back() += pointer[i];
    }
  }
  return tokens;
}

}  // namespace weir::manifest
