// The part of libFuzzer that other compilers lack: runs each file of the folders that it is given once.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "check.hpp"

int main(int argc, char** argv) {
    std::size_t files = 0;
    for (int k = 1; k < argc; ++k) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[k])) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
            std::fprintf(stderr, "%s\n", entry.path().c_str());
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            ++files;
        }
    }
    std::fprintf(stderr, "%zu files\n", files);
    return files == 0 ? 1 : 0;
}
