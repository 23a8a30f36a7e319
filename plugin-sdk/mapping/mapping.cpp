#include "weir/mapping/mapping.h"

#include "applier.h"
#include "compiler.h"
#include "plan.h"

namespace weir::mapping {

static_assert(kMaxPayloadBytes == JsonTree::kMaxBytes);

std::unique_ptr<const Mapping> Mapping::compile(std::string_view json,
                                                std::span<const std::string_view> variables,
                                                MappingFault* fault) {
  auto plan = std::make_unique<Plan>();
  if (!Compiler(*plan, fault).compile(json, variables)) return nullptr;
  return std::unique_ptr<const Mapping>(new Mapping(std::move(plan)));
}

Mapping::Mapping(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Mapping::~Mapping() = default;

const Template* Mapping::address() const { return plan_->address ? &*plan_->address : nullptr; }
const std::vector<std::string>& Mapping::variables() const { return plan_->variables; }

MappedParser::MappedParser() : applier_(std::make_unique<Applier>()) {}
MappedParser::MappedParser(MappedParser&&) noexcept = default;
MappedParser& MappedParser::operator=(MappedParser&&) noexcept = default;
MappedParser::~MappedParser() = default;

bool MappedParser::parse(const Mapping& mapping, std::string_view payload, const Arrival& arrival,
                         sdk::BatchBuilder& out, PayloadFault* fault) {
  return applier_->apply(mapping.plan(), payload, arrival, out, fault);
}

}  // namespace weir::mapping
