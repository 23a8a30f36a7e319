# weir_embed_text(OUT FUNCTION FOLDER FILES...): a C++ file with `std::string_view weir::cli::FUNCTION(path)`, which gives the
# text of a file by its path below FOLDER, and nothing for one that is not there.
function(weir_embed_text out function folder)
  set(text "// Made by CMake from the files in ${folder}.\n#include <string_view>\n\nnamespace weir::cli {\n\n")
  string(APPEND text "std::string_view ${function}(std::string_view path);\nstd::string_view ${function}(std::string_view path) {\n")
  foreach(file ${ARGN})
    file(READ ${file} content)
    file(RELATIVE_PATH path ${folder} ${file})
    string(APPEND text "  if (path == \"${path}\") return R\"embedded(${content})embedded\";\n")
  endforeach()
  string(APPEND text "  return {};\n}\n\n}  // namespace weir::cli\n")
  file(WRITE ${out}.new "${text}")
  configure_file(${out}.new ${out} COPYONLY)  # touches it only when it differs
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
endfunction()
