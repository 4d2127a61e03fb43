// Reads the tables of tests/data: enough JSON for files of our own, without escapes in strings.
#pragma once

#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace balmer::test {

struct Json {
    double number = 0;
    std::string text;
    std::vector<Json> items;
    std::map<std::string, Json, std::less<>> fields;

    const Json& operator[](std::string_view name) const {
        const auto found = fields.find(name);
        if (found == fields.end()) throw std::out_of_range("no field " + std::string(name));
        return found->second;
    }
    [[nodiscard]] std::vector<double> numbers() const {
        std::vector<double> out;
        for (const Json& item : items) out.push_back(item.number);
        return out;
    }
};

class JsonReader {
   public:
    explicit JsonReader(std::string_view text) : rest_(text) {}

    Json read() {
        skip_blanks();
        Json value;
        switch (rest_.at(0)) {
            case '{':
                each('}', [&] {
                    const std::string name = string();
                    expect(':');
                    value.fields.emplace(name, read());
                });
                break;
            case '[':
                each(']', [&] { value.items.push_back(read()); });
                break;
            case '"':
                value.text = string();
                break;
            default: {
                const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value.number);
                if (error != std::errc{}) fail();
                rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            }
        }
        return value;
    }

   private:
    [[noreturn]] void fail() const { throw std::runtime_error("not JSON: " + std::string(rest_.substr(0, 40))); }
    void skip_blanks() {
        while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])) != 0) rest_.remove_prefix(1);
    }
    bool take(char c) {
        skip_blanks();
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!take(c)) fail();
    }
    template <class Body>
    void each(char last, const Body& body) {
        rest_.remove_prefix(1);
        if (take(last)) return;
        do {
            body();
        } while (take(','));
        expect(last);
    }
    std::string string() {
        expect('"');
        const std::size_t end = rest_.find('"');
        if (end == std::string_view::npos) fail();
        std::string text(rest_.substr(0, end));
        rest_.remove_prefix(end + 1);
        return text;
    }

    std::string_view rest_;
};

/// A file of tests/data.
inline Json read_json(std::string_view name) {
    const auto path = std::filesystem::path(__FILE__).parent_path() / "../../data" / name;
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return JsonReader(text).read();
}

}  // namespace balmer::test
