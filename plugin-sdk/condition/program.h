// What a condition is compiled to: a tree in an array, children before their parents.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/batch.hpp"

namespace weir::condition {

enum class Field : uint8_t { kNone, kDeviceId, kSensorType, kUnit, kValue, kTimestamp, kReceivedAt, kMetadata, kFlag };

// A literal, or a field of the event that is looked at.
struct Operand {
  enum class Type : uint8_t { kMissing, kText, kInteger, kReal, kBoolean };
  Field field = Field::kNone;    // kNone: a literal
  Type type = Type::kMissing;    // of a literal
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  uint32_t flag = 0;             // of kFlag: its bit
  std::string text;              // of a literal; of kMetadata the key
};

enum class Operation : uint8_t {
  kConstant,  // left is a literal that is true or false
  kFlag,      // left is a flag of the event
  kHas,       // left is a field
  kEqual,
  kUnequal,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIn,    // left in list
  kLike,  // left like right's text
  kNot,   // of first
  kAnd,   // of first and second
  kOr
};

struct Node {
  Operation operation = Operation::kConstant;
  uint32_t first = 0, second = 0;  // places of nodes
  Operand left, right;
  std::vector<Operand> list;
};

struct Program {
  std::vector<Node> nodes;  // the last one is the whole
};

bool holds(const Program& program, uint32_t node, const sdk::EventView& event);

}  // namespace weir::condition
