// SPDX-License-Identifier: MIT
/// Gives a fuzzer's function every file of a directory: its corpus as a test.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size);

int main(int, char **arguments) {
  std::string directory = arguments[1];
  int files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string data((std::istreambuf_iterator<char>(file)), {});
    LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char *>(data.data()), data.size());
    ++files;
  }
  std::printf("%s fuzz: %s, %d inputs\n", files > 0 ? "PASS" : "FAIL", directory.c_str(), files);
}
