// All small formulas over a few variables, each set of values once: the building blocks of the seed stage.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"
#include "search/vocabulary.hpp"

namespace balmer::search {

/// What the library is built over: a feature, or a formula of features that stands for one (a product that others only
/// act through, a feature in a handier unit).
struct Variable {
    Expression expression;
    std::vector<double> values;  ///< one for each row of the data
};

/// Formulas in the order of their size, built bottom-up and hash-consed by their values on 16 key rows: a formula is kept
/// only if no smaller one has the same values there (32 bits of mantissa). Kammerer et al. 2020 enumerate like this.
///
/// Between the sizes stand *products*: of powers of the variables and of a function or two of one variable each (v cos(t) / c,
/// x^3 exp(-x) sin(x)), and functions of products of powers (exp(x y / z)), some sizes ahead of their own, since laws are full
/// of them. They come again at their own size.
///
/// Where the data have units, only formulas that keep to them with numbers as constants are built, and logarithms of any
/// quantity where a constant can make it a number.
///
/// Square and reciprocal count as one step whatever the operators are, as laws are full of them; `complexity` and
/// `expression` are those of the form that the vocabulary allows.
class Library {
   public:
    static constexpr std::size_t kKeyRows = 16;

    /// `screen_rows`: the rows (of the variables' values) on which `screen` gives values; the key rows are the first of them
    /// that differ from each other. `variables` and `vocabulary` must outlive the library.
    Library(const Vocabulary& vocabulary, std::span<const Variable> variables, std::vector<std::uint32_t> screen_rows,
            std::size_t capacity);

    /// Adds all formulas of the next size. False when the capacity is reached or nothing was left to combine.
    bool grow();
    /// Makes `screen` valid for the first `count` formulas.
    void prepare(std::size_t count);

    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    /// How many formulas have values on the screen rows.
    [[nodiscard]] std::size_t prepared() const noexcept { return prepared_; }
    [[nodiscard]] int level() const noexcept { return static_cast<int>(levels_.size()); }
    /// Values on the screen rows; the columns are padded to a multiple of 16 with copies of the last row.
    [[nodiscard]] const double* screen(std::size_t i) const noexcept { return &screen_[i * screen_padded_]; }
    [[nodiscard]] std::size_t n_screen() const noexcept { return screen_rows_.size(); }
    [[nodiscard]] std::size_t n_screen_padded() const noexcept { return screen_padded_; }
    [[nodiscard]] std::span<const std::uint32_t> screen_rows() const noexcept { return screen_rows_; }
    /// The rows on which formulas are compared; if the variables have fewer different ones, some come again.
    [[nodiscard]] std::span<const std::uint32_t> key_rows() const noexcept { return key_rows_; }
    [[nodiscard]] std::size_t n_different_key_rows() const noexcept { return different_key_rows_; }
    [[nodiscard]] const double* key(std::size_t i) const noexcept { return &key_[i * kKeyRows]; }
    [[nodiscard]] int complexity(std::size_t i) const noexcept { return nodes_[i].complexity; }
    [[nodiscard]] bool is_constant(std::size_t i) const noexcept { return nodes_[i].constant; }
    /// Whether formula i is a variable, a power of one, or a product or quotient of such.
    [[nodiscard]] bool is_monomial(std::size_t i) const noexcept { return nodes_[i].monomial; }
    /// Whether formula i is a product that stands before its size, or a function of one.
    [[nodiscard]] bool is_product(std::size_t i) const noexcept { return nodes_[i].ahead; }
    /// One past the last formula of a level, the first level being 1.
    [[nodiscard]] std::size_t end_of_level(std::size_t level) const noexcept {
        return levels_[std::min(level, levels_.size()) - 1].end;
    }
    [[nodiscard]] Op op(std::size_t i) const noexcept { return nodes_[i].op; }
    /// The formula, simplified.
    [[nodiscard]] Expression expression(std::size_t i) const;
    /// Candidates built so far, kept or not: the work done.
    [[nodiscard]] double candidates() const noexcept { return candidates_; }

   private:
    struct Entry {
        Op op = Op::Constant;
        bool constant = false;
        bool monomial = false;
        bool ahead = false;        // a product that stands before its size
        std::uint8_t nesting = 0;  // transcendental functions on the longest path
        std::uint16_t complexity = 0;
        std::uint32_t a = 0, b = 0;  // operands; of a leaf: number of the variable or the constant
    };
    struct UnaryStep {
        Op op;
        int level_cost;
        double slope, intercept;  // complexity of the form: slope * operand + intercept
        bool transcendental;
    };

    const Vocabulary* vocabulary_;
    std::span<const Variable> variables_;
    std::vector<std::uint32_t> screen_rows_;
    std::size_t screen_padded_;
    std::vector<std::uint32_t> key_rows_;
    std::size_t different_key_rows_ = 0;
    std::size_t capacity_;
    std::vector<Entry> nodes_;
    std::vector<Quantity> dimensions_;  // of the formulas, if the data have some; constants are numbers
    std::vector<double> constants_;
    AlignedVector<double> key_, screen_;
    std::size_t prepared_ = 0;
    struct Range {
        std::size_t begin, end;
    };
    /// A product: node, number of its last factor, how many functions are in it.
    struct Product {
        std::uint32_t node;
        std::uint16_t last;
        std::uint8_t functions;
        bool simple;  // an argument of functions: of variables, their squares and reciprocals, x + 1 and x - 1
    };
    struct Factor {
        std::uint32_t node;
        std::uint16_t number;  // factors of one number exclude each other
        std::uint8_t cost;
        bool function, simple;
    };

    std::vector<Range> levels_;         // levels_[k]: the formulas of level k + 1
    std::vector<std::uint64_t> table_;  // open addressing, 0: free
    std::vector<std::uint32_t> owner_;  // which formula has that key
    std::size_t table_used_ = 0;
    std::vector<Factor> factors_;
    std::vector<std::vector<Product>> products_;     // by size
    std::size_t n_products_ = 0, product_size_ = 3;  // the size that is made next
    std::vector<UnaryStep> unary_;
    std::vector<Op> binary_, rare_binary_;
    double candidates_ = 0;

    void choose_steps();
    [[nodiscard]] std::size_t arity(Op op) const noexcept { return vocabulary_->operators().arity(op); }
    /// out[i] = op(a[i], b[i]) for i < count; `b` is null for an operator of one operand.
    void apply(Op op, double* out, const double* a, const double* b, std::size_t count) const;
    void choose_key_rows();
    /// The formula of that key; `node` from now on if there was none, or one that stands ahead and `node` does not.
    std::uint32_t insert(std::uint64_t key, std::uint32_t node, bool ahead);
    /// Adds the formula if it is new; returns which one has its values (the largest number if it cannot be used).
    std::uint32_t consider(const Entry& entry, const double* values);
    /// The dimension of an entry; nullopt if it violates those of the data. Any if they have none.
    [[nodiscard]] std::optional<Quantity> dimension_of(const Entry& entry) const;
    void choose_factors();
    /// Adds products of the next sizes until there are `count` in all.
    void add_products(std::size_t count);
    void add_product(const Product& product, const Factor& factor, Op op, std::size_t size);
    /// Functions of one formula, ahead of their size, by the operators that `wanted` says yes to; the first that was new.
    template <class Wanted>
    std::optional<std::size_t> add_functions(std::size_t node, Wanted wanted);
    void add_functions_of_magnitude(std::size_t node);
    void combine_unary(const UnaryStep& step, std::size_t low, std::size_t high, bool ahead);
    void combine_binary(Op op, std::size_t i, std::size_t low, std::size_t high, bool swapped);
    [[nodiscard]] bool full() const noexcept { return nodes_.size() >= capacity_; }
    [[nodiscard]] Expression build(std::size_t i) const;
};

}  // namespace balmer::search
