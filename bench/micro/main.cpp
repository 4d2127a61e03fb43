// balmer_bench [--seconds S] [--commit HASH] [--isa NAME] [evaluate] [derivatives] [fit] [polish]
// balmer_bench work evaluate|derivatives|fit      fixed work without clocks, for counting instructions
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "balmer/eval/isa.hpp"
#include "harness.hpp"

namespace balmer::bench {
namespace {

std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("model name", 0) == 0) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown";
}

int run(const std::vector<std::string>& arguments) {
    const std::map<std::string, std::function<void(const Settings&)>> benches = {{"evaluate", bench_evaluation},
                                                                                 {"derivatives", bench_derivatives},
                                                                                 {"fit", bench_fits},
                                                                                 {"polish", bench_polish}};
    const std::map<std::string, std::function<double()>> works = {
        {"evaluate", work_evaluation}, {"derivatives", work_derivatives}, {"fit", work_fits}};
    Settings settings;
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const bool has_value = i + 1 < arguments.size();
        if (word == "--seconds" && has_value) {
            settings.seconds = std::atof(arguments[++i].c_str());
        } else if (word == "--commit" && has_value) {
            settings.commit = arguments[++i];
        } else if (word == "--isa" && has_value) {
            force_isa(arguments[++i]);
        } else if (word == "work" && has_value && works.count(arguments[i + 1]) != 0) {
            const std::string& name = arguments[++i];
            Line("work").add("name", name).add("isa", isa()).add("checksum", works.at(name)()).print();
            return 0;
        } else if (benches.count(word) != 0) {
            chosen.push_back(word);
        } else {
            std::fprintf(stderr, "balmer_bench: %s is none of evaluate, derivatives, fit, polish, work\n",
                         word.c_str());
            return 2;
        }
    }
    Line("info")
        .add("machine", processor())
        .add("cores", std::thread::hardware_concurrency())
        .add("compiler", __VERSION__)
        .add("isa", isa())
        .add("commit", settings.commit)
        .print();
    for (const auto& [name, bench] : benches) {
        if (chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end()) {
            bench(settings);
        }
    }
    return 0;
}

}  // namespace
}  // namespace balmer::bench

int main(int argc, char** argv) { return balmer::bench::run({argv + 1, argv + argc}); }
