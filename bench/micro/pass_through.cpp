#include "micro/pass_through.h"

#include <dlfcn.h>

#include <filesystem>

#include "floors/blocks.h"
#include "load/bodies.h"
#include "weir/transform.h"

namespace weir::bench {
namespace {

// A transform gets no services it would need here.
const void* no_service(weir_host*, const char*) { return nullptr; }
weir_host host{no_service};

event::SharedBlock make_block(uint32_t events) {
  std::string bytes = make_blocks(make_bodies(1, events))[0];
  event::Block block(bytes.size());
  std::copy(bytes.begin(), bytes.end(), block.data());
  return std::make_shared<event::Block>(std::move(block));
}

}  // namespace

PassThrough::PassThrough(const std::string& libraries, uint32_t events) : block_(make_block(events)) {
  std::string path = libraries + "/pass-transform.so";
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) {
    problem_ = dlerror();
    return;
  }
  char text[256] = "";
  weir_error error{};
  error.text = text;
  error.text_capacity = sizeof text;
  entry_ = static_cast<const weir_entry*>(dlsym(library_, "weir_plugin_entry"));
  if (entry_ == nullptr || entry_->init(&host, &error) != WEIR_OK) {
    problem_ = path + " does not start: " + text;
    return;
  }
  life_ = static_cast<const weir_component_v1*>(entry_->get_interface("pass.transform", WEIR_COMPONENT));
  auto* table = static_cast<const weir_transform_v1*>(entry_->get_interface("pass.transform", WEIR_TRANSFORM));
  if (life_ == nullptr || table == nullptr || life_->create(&host, {"{}", 2}, &self_, &error) != WEIR_OK) {
    problem_ = path + " gives no instance: " + text;
    return;
  }
  pipeline_ = std::make_unique<graph::Pipeline>(
      std::vector<graph::NodeSpec>{{"pass", {table, self_}, {"api"}, false}}, std::vector<graph::Edge>{"pass"});
}

PassThrough::~PassThrough() {
  pipeline_.reset();
  if (self_ != nullptr) life_->destroy(self_);
  if (entry_ != nullptr) entry_->deinit();
  if (library_ != nullptr) dlclose(library_);
}

uint32_t PassThrough::run() {
  if (!pipeline_->run("api", block_, &output_)) return 0;
  uint32_t events = 0;
  for (const graph::Piece& piece : output_.pieces) events += piece.count();
  return events;
}

std::string examples_folder() {
  auto bin = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return (bin.parent_path() / "lib/weir/examples").string();
}

}  // namespace weir::bench
