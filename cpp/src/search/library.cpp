#include "search/library.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/simplify.hpp"
#include "eval/dispatch.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kKey = Library::kKeyRows;
constexpr std::size_t kBatch = 64;    // formulas that one call of a kernel combines
constexpr double kLargest = 1e10;     // values beyond this are steps to overflow, not building blocks
constexpr int kMaxNesting = 2;        // sin(exp(log(x))) and deeper are not laws
constexpr int kRareOperandLevel = 2;  // operands of min, max, pow, ... are no larger
constexpr std::array<double, 2> kConstants = {1, 2};
constexpr std::uint32_t kUnusable = 0xffffffffU;
constexpr std::size_t kProductsAfter = 3;  // the level after which the first products stand
constexpr std::size_t kFirstProducts = 300, kMoreProducts = 3000, kMostProducts = 20000;
constexpr std::size_t kLargestProduct = 12;  // nodes

eval::ForwardKernel<double> kernel(Op op) {
    return eval::kernels().f64.forward[static_cast<std::size_t>(op) - kFirstOp][eval::vv];
}

std::uint64_t mix(std::uint64_t h) noexcept {
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

/// Equal for values that agree to about 32 bits of mantissa on each key row.
std::uint64_t key_of(const double* values) noexcept {
    std::uint64_t h = 0, multiplier = 0x9e3779b97f4a7c15u;
    for (std::size_t k = 0; k < kKey; ++k) {
        const double v = std::abs(values[k]) < 1e-11 ? 0.0 : values[k];
        const std::uint64_t bits = (std::bit_cast<std::uint64_t>(v) + (std::uint64_t{1} << 19)) >> 20;
        h += bits * multiplier;
        multiplier = mix(multiplier + k) | 1;
    }
    h = mix(h);
    return h == 0 ? 1 : h;
}

bool is_transcendental(Op op) { return OperatorSet::is_user(op) || info(op).units == Units::pure; }

/// Operators of the user's own are there because laws have them.
bool is_common(Op op) {
    if (OperatorSet::is_user(op)) return true;
    switch (op) {
        case Op::Sin:
        case Op::Cos:
        case Op::Exp:
        case Op::Log:
        case Op::Sqrt:
        case Op::Square:
        case Op::Cube:
        case Op::Inv:
            return true;
        default:
            return false;
    }
}

}  // namespace

Library::Library(const Vocabulary& vocabulary, std::span<const Variable> variables,
                 std::vector<std::uint32_t> screen_rows, std::size_t capacity)
    : vocabulary_(&vocabulary),
      variables_(variables),
      screen_rows_(std::move(screen_rows)),
      screen_padded_(padded(screen_rows_.size())),
      capacity_(capacity),
      table_(1024, 0),
      owner_(1024, 0) {
    choose_steps();
    choose_key_rows();
    double values[kKey];
    for (std::size_t j = 0; j < variables_.size(); ++j) {
        for (std::size_t k = 0; k < kKey; ++k) values[k] = variables_[j].values[key_rows_[k]];
        consider({.op = Op::Feature,
                  .constant = false,
                  .monomial = true,
                  .ahead = false,
                  .nesting = 0,
                  .complexity = static_cast<std::uint16_t>(vocabulary.complexity(variables_[j].expression)),
                  .a = static_cast<std::uint32_t>(j),
                  .b = 0},
                 values);
    }
    for (const double c : kConstants) {
        constants_.push_back(c);
        std::fill(std::begin(values), std::end(values), c);
        insert(key_of(values), static_cast<std::uint32_t>(nodes_.size()), false);
        nodes_.push_back({.op = Op::Constant,
                          .constant = true,
                          .monomial = false,
                          .ahead = false,
                          .nesting = 0,
                          .complexity = static_cast<std::uint16_t>(std::lround(vocabulary.complexity_of_constant())),
                          .a = static_cast<std::uint32_t>(constants_.size() - 1),
                          .b = 0});
        if (vocabulary.watches_dimensions()) dimensions_.push_back(Dimension());
        key_.insert(key_.end(), std::begin(values), std::end(values));
    }
    levels_.push_back({0, nodes_.size()});
}

void Library::choose_steps() {
    const Expression x = Expression::feature(0);
    const auto add_unary = [&](Op op, bool common, const Expression& once, const Expression& twice) {
        const double base = vocabulary_->complexity(x), first = vocabulary_->complexity(once),
                     second = vocabulary_->complexity(twice);
        const double slope = first > base ? std::max(1.0, (second - first) / (first - base)) : 1.0;
        unary_.push_back({op, common ? 1 : 2, slope, first - slope * base, is_transcendental(op)});
    };
    for (const Op op : {Op::Square, Op::Inv, Op::Sqrt}) {  // whatever form they take
        const double p = op == Op::Square ? 2 : op == Op::Inv ? -1 : 0.5;
        const Expression once = vocabulary_->power(x, p);
        if (!once.nodes.empty()) add_unary(op, true, once, vocabulary_->power(once, p));
    }
    for (const OpInfo& row : operator_table()) {
        if (!vocabulary_->has(row.op)) continue;
        if (row.arity == 1) {
            const bool known = row.op == Op::Square || row.op == Op::Inv || row.op == Op::Sqrt;
            const bool sign_only = row.op == Op::Neg && vocabulary_->has(Op::Sub);
            if (known || sign_only || !row.smooth) continue;
            const Expression once = vocabulary_->apply(row.op, x);
            add_unary(row.op, is_common(row.op), once, vocabulary_->apply(row.op, once));
        } else if (row.arity == 2) {
            const bool core = row.op == Op::Add || row.op == Op::Sub || row.op == Op::Mul || row.op == Op::Div;
            (core ? binary_ : rare_binary_).push_back(row.op);
        }
    }
    for (std::size_t k = 0; k < vocabulary_->operators().user().size(); ++k) {
        const Op op = static_cast<Op>(kFirstUserOp + k);
        if (!vocabulary_->has(op) || vocabulary_->is_power(op)) continue;
        const std::size_t arity = vocabulary_->operators().arity(op);
        if (arity == 2) rare_binary_.push_back(op);
        if (arity != 1) continue;
        const Expression once = vocabulary_->apply(op, x);
        add_unary(op, true, once, vocabulary_->apply(op, once));
    }
}

void Library::apply(Op op, double* out, const double* a, const double* b, std::size_t count) const {
    if (!OperatorSet::is_user(op)) {
        kernel(op)(out, a, b, nullptr, count);
        return;
    }
    const std::size_t arity = b == nullptr ? 1 : 2;
    AlignedVector<double> operands(a, a + count);
    if (b != nullptr) operands.insert(operands.end(), b, b + count);
    const auto data = Dataset<double>::view(
        {.data = operands.data(), .rows = count, .columns = arity, .row_stride = 1, .column_stride = count});
    const Evaluator<double> evaluator(data, vocabulary_->operators());
    const Expression x = Expression::feature(0);
    const Expression call = arity == 1 ? Expression::apply(op, x) : Expression::apply(op, x, Expression::feature(1));
    Workspace<double> workspace;
    evaluator.evaluate(call, {out, count}, workspace);
}

void Library::choose_key_rows() {
    for (const std::uint32_t row : screen_rows_) {
        const bool seen = std::any_of(key_rows_.begin(), key_rows_.end(), [&](std::uint32_t other) {
            return std::all_of(variables_.begin(), variables_.end(),
                               [&](const Variable& v) { return v.values[row] == v.values[other]; });
        });
        if (!seen) key_rows_.push_back(row);
        different_key_rows_ = key_rows_.size();
        if (key_rows_.size() == kKey) return;
    }
    const std::size_t distinct = std::max<std::size_t>(key_rows_.size(), 1);
    if (key_rows_.empty()) key_rows_.push_back(screen_rows_.front());
    while (key_rows_.size() < kKey) key_rows_.push_back(key_rows_[key_rows_.size() % distinct]);
}

std::uint32_t Library::insert(std::uint64_t key, std::uint32_t node, bool ahead) {
    if (2 * (table_used_ + 1) > table_.size()) {
        std::vector<std::uint64_t> larger(2 * table_.size(), 0);
        std::vector<std::uint32_t> owner(larger.size(), 0);
        for (std::size_t old = 0; old < table_.size(); ++old) {
            if (table_[old] == 0) continue;
            std::size_t place = table_[old] & (larger.size() - 1);
            while (larger[place] != 0) place = (place + 1) & (larger.size() - 1);
            larger[place] = table_[old];
            owner[place] = owner_[old];
        }
        table_.swap(larger);
        owner_.swap(owner);
    }
    std::size_t place = key & (table_.size() - 1);
    for (; table_[place] != 0; place = (place + 1) & (table_.size() - 1)) {
        if (table_[place] != key) continue;
        if (!ahead && nodes_[owner_[place]].ahead) owner_[place] = node;
        return owner_[place];
    }
    table_[place] = key;
    owner_[place] = node;
    ++table_used_;
    return node;
}

std::optional<Quantity> Library::dimension_of(const Entry& entry) const {
    if (!vocabulary_->watches_dimensions()) return Quantity();
    const DataDimensions& data = vocabulary_->options().dimensions;
    const OperatorSet& operators = vocabulary_->operators();
    if (entry.op == Op::Feature) {
        // A view that is no good is the business of whoever writes its formulas out.
        const DataDimensions numbers{data.features, data.target, true};
        return balmer::dimension_of(variables_[entry.a].expression, numbers, operators).value_or(Quantity());
    }
    const bool logarithm = entry.op == Op::Log || entry.op == Op::Log2 || entry.op == Op::Log10;
    if (logarithm && !data.dimensionless_constants_only) return Dimension();
    const std::array<Quantity, 2> operands = {dimensions_[entry.a], dimensions_[entry.b]};
    const Entry& last = nodes_[entry.b];
    const double exponent = last.constant ? constants_[last.a] : std::numeric_limits<double>::quiet_NaN();
    return balmer::dimension_of(entry.op, {operands.data(), arity(entry.op)}, exponent, operators);
}

std::uint32_t Library::consider(const Entry& entry, const double* values) {
    double low = values[0], high = values[0];
    bool finite = true;
    for (std::size_t k = 0; k < kKey; ++k) {
        finite = finite && std::abs(values[k]) <= kLargest;  // false for NaN
        low = std::min(low, values[k]);
        high = std::max(high, values[k]);
    }
    if (!finite || !(high - low > 1e-9 * std::max(std::abs(low), std::abs(high))) || full()) return kUnusable;
    const std::optional<Quantity> dimension = dimension_of(entry);
    if (!dimension) return kUnusable;
    const auto next = static_cast<std::uint32_t>(nodes_.size());
    const std::uint32_t owner = insert(key_of(values), next, entry.ahead);
    if (owner != next) return owner;
    nodes_.push_back(entry);
    if (vocabulary_->watches_dimensions()) dimensions_.push_back(*dimension);
    key_.insert(key_.end(), values, values + kKey);
    return next;
}

void Library::choose_factors() {
    const std::size_t d = variables_.size();
    for (std::size_t i = levels_[0].begin; i < levels_[2].end; ++i) {
        const Entry& e = nodes_[i];
        if (e.constant) continue;
        const bool leaf = e.op == Op::Feature;
        if (!leaf && nodes_[e.a].op != Op::Feature) continue;
        const std::uint32_t variable = leaf ? e.a : nodes_[e.a].a;
        const bool power = leaf || e.op == Op::Square || e.op == Op::Sqrt || e.op == Op::Cube;
        const bool shifted =
            (e.op == Op::Add || e.op == Op::Sub) && nodes_[e.b].constant && constants_[nodes_[e.b].a] == 1;
        if (shifted && d > 3) continue;
        // What has two operands, or stands below the line, is no factor.
        if (!leaf && !shifted && (arity(e.op) != 1 || e.op == Op::Inv || !is_common(e.op))) continue;
        // A sine and a cosine of one variable go together if there are few variables, else one function stands in a product.
        const std::size_t kind = power                                         ? 0
                                 : shifted                                     ? 1
                                 : d > 2 || e.op == Op::Exp || e.op == Op::Log ? 2
                                 : e.op == Op::Sin                             ? 3
                                                                               : 4;
        factors_.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint16_t>(kind * d + variable),
                            static_cast<std::uint8_t>(leaf      ? 1
                                                      : shifted ? 3
                                                                : 2),
                            !power && !shifted, leaf || shifted || e.op == Op::Square});
    }
    std::stable_sort(factors_.begin(), factors_.end(),
                     [](const Factor& a, const Factor& b) { return a.number < b.number; });
    products_.resize(4);
    // Cubes and reciprocals of the variables are no factors of their own size yet.
    alignas(64) double values[kKey];
    const auto single = [&](const Factor& variable, Op op, double exponent) {
        const Entry& leaf = nodes_[variable.node];
        const Expression e = vocabulary_->power(variables_[leaf.a].expression, exponent);
        if (e.nodes.empty()) return kUnusable;
        apply(op, values, &key_[variable.node * kKey], nullptr, kKey);
        return consider({.op = op,
                         .constant = false,
                         .monomial = true,
                         .ahead = true,
                         .nesting = 0,
                         .complexity = static_cast<std::uint16_t>(vocabulary_->complexity(e)),
                         .a = variable.node,
                         .b = 0},
                        values);
    };
    const std::vector<Factor> known = factors_;
    for (const Factor& f : known) {
        products_[f.cost].push_back({f.node, f.number, static_cast<std::uint8_t>(f.function ? 1 : 0), f.simple});
        if (nodes_[f.node].op != Op::Feature) continue;
        const std::uint32_t below = single(f, Op::Inv, -1);
        if (below != kUnusable) products_[2].push_back({below, f.number, 0, true});
        const std::uint32_t cube = single(f, Op::Cube, 3);
        if (cube == kUnusable || vocabulary_->has(Op::Cube)) continue;
        factors_.push_back({cube, f.number, 3, false, false});
        products_[3].push_back({cube, f.number, 0, false});
    }
    std::stable_sort(factors_.begin(), factors_.end(),
                     [](const Factor& x, const Factor& y) { return x.number < y.number; });
}

template <class Wanted>
std::optional<std::size_t> Library::add_functions(std::size_t node, Wanted wanted) {
    const std::size_t first = nodes_.size();
    for (const UnaryStep& step : unary_) {
        if (wanted(step.op)) combine_unary(step, node, node + 1, true);
    }
    return nodes_.size() > first ? std::optional(first) : std::nullopt;
}

/// Of what changes its sign, laws have the root and the logarithm of the magnitude, |p| or sqrt(p^2).
void Library::add_functions_of_magnitude(std::size_t node) {
    const double* const values = &key_[node * kKey];
    if (std::all_of(values, values + kKey, [&](double v) { return v * values[0] > 0; })) return;
    const auto is = [](Op op) { return [op](Op other) { return other == op; }; };
    std::optional<std::size_t> magnitude = add_functions(node, is(Op::Abs));
    if (!vocabulary_->has(Op::Abs)) {
        const std::optional<std::size_t> square = add_functions(node, is(Op::Square));
        if (square) magnitude = add_functions(*square, is(Op::Sqrt));
    }
    if (magnitude) add_functions(*magnitude, [](Op op) { return op == Op::Sqrt || op == Op::Log; });
}

void Library::add_product(const Product& product, const Factor& factor, Op op, std::size_t size) {
    const Entry &p = nodes_[product.node], &f = nodes_[factor.node];
    const double complexity = p.complexity + f.complexity + vocabulary_->complexity_of(op);
    if (complexity > vocabulary_->options().evolution.maxsize) return;
    alignas(64) double values[kKey];
    apply(op, values, &key_[product.node * kKey], &key_[factor.node * kKey], kKey);
    ++candidates_;
    const std::size_t before = nodes_.size();
    const std::uint32_t node = consider({.op = op,
                                         .constant = false,
                                         .monomial = p.monomial && f.monomial,
                                         .ahead = true,
                                         .nesting = std::max(p.nesting, f.nesting),
                                         .complexity = static_cast<std::uint16_t>(std::lround(complexity)),
                                         .a = product.node,
                                         .b = factor.node},
                                        values);
    if (node == kUnusable) return;
    const bool simple = product.simple && factor.simple;
    products_[size].push_back(
        {node, factor.number, static_cast<std::uint8_t>(product.functions + factor.function), simple});
    const bool functions = nodes_.size() > before && simple;
    if (functions) add_functions(node, [](Op step) { return is_transcendental(step) || step == Op::Sqrt; });
    n_products_ += nodes_.size() - before;
    if (functions) add_functions_of_magnitude(node);
}

void Library::add_products(std::size_t count) {
    const bool multiply = vocabulary_->has(Op::Mul), divide = vocabulary_->has(Op::Div);
    if (!multiply && !divide) return;
    if (products_.empty()) choose_factors();
    const std::size_t most_functions = variables_.size() == 1 ? 3 : variables_.size() == 2 ? 2 : 1;
    for (; n_products_ < count && product_size_ <= kLargestProduct && !full(); ++product_size_) {
        const std::size_t size = product_size_;
        products_.resize(std::max(products_.size(), size + 1));
        for (const Factor& factor : factors_) {
            if (size < factor.cost + 2U) continue;
            const std::vector<Product> shorter = products_[size - factor.cost - 1];
            for (const Product& product : shorter) {
                if (product.last >= factor.number) continue;
                if (factor.function && product.functions >= most_functions) continue;
                if (n_products_ >= kMostProducts) return;
                if (multiply) add_product(product, factor, Op::Mul, size);
                if (divide) add_product(product, factor, Op::Div, size);
            }
        }
    }
}

void Library::combine_unary(const UnaryStep& step, std::size_t low, std::size_t high, bool ahead) {
    AlignedVector<double> out(std::min(kBatch, high - low) * kKey);
    for (std::size_t i = low; i < high && !full(); i += kBatch) {
        const std::size_t count = std::min(kBatch, high - i);
        apply(step.op, out.data(), &key_[i * kKey], nullptr, count * kKey);
        for (std::size_t q = 0; q < count; ++q) {
            const Entry operand = nodes_[i + q];
            if (operand.constant || (step.transcendental && operand.nesting >= kMaxNesting)) continue;
            const double complexity = step.slope * operand.complexity + step.intercept;
            if (complexity > vocabulary_->options().evolution.maxsize) continue;
            consider({.op = step.op,
                      .constant = false,
                      .monomial = operand.monomial && (step.op == Op::Square || step.op == Op::Inv ||
                                                       step.op == Op::Cube || step.op == Op::Sqrt),
                      .ahead = ahead,
                      .nesting = static_cast<std::uint8_t>(operand.nesting + (step.transcendental ? 1 : 0)),
                      .complexity = static_cast<std::uint16_t>(std::lround(complexity)),
                      .a = static_cast<std::uint32_t>(i + q),
                      .b = 0},
                     &out[q * kKey]);
            ++candidates_;
        }
    }
}

void Library::combine_binary(Op op, std::size_t i, std::size_t low, std::size_t high, bool swapped) {
    const std::size_t batch = std::min(kBatch, high - low);
    AlignedVector<double> left(batch * kKey), out(batch * kKey);
    for (std::size_t q = 0; q < batch; ++q) std::copy_n(&key_[i * kKey], kKey, &left[q * kKey]);
    const Entry first = nodes_[i];
    const double cost = vocabulary_->complexity_of(op);
    for (std::size_t j = low; j < high && !full(); j += kBatch) {
        const std::size_t count = std::min(kBatch, high - j);
        if (swapped) {
            apply(op, out.data(), &key_[j * kKey], left.data(), count * kKey);
        } else {
            apply(op, out.data(), left.data(), &key_[j * kKey], count * kKey);
        }
        for (std::size_t q = 0; q < count; ++q) {
            const Entry second = nodes_[j + q];
            if (first.constant && second.constant) continue;
            const double complexity = first.complexity + second.complexity + cost;
            if (complexity > vocabulary_->options().evolution.maxsize) continue;
            const auto a = static_cast<std::uint32_t>(swapped ? j + q : i);
            const auto b = static_cast<std::uint32_t>(swapped ? i : j + q);
            consider({.op = op,
                      .constant = false,
                      .monomial = first.monomial && second.monomial && (op == Op::Mul || op == Op::Div),
                      .ahead = false,
                      .nesting = std::max(first.nesting, second.nesting),
                      .complexity = static_cast<std::uint16_t>(std::lround(complexity)),
                      .a = a,
                      .b = b},
                     &out[q * kKey]);
            ++candidates_;
        }
    }
}

bool Library::grow() {
    if (full()) return false;
    const eval::FlushSubnormals guard(eval::kernels());
    const std::size_t next = levels_.size() + 1;  // the level being made
    if (next > kProductsAfter) {
        add_products(next == kProductsAfter + 1   ? kFirstProducts
                     : next == kProductsAfter + 2 ? kMoreProducts
                                                  : kMostProducts);
    }
    const std::size_t first = nodes_.size();
    const auto begin = [&](std::size_t level) { return levels_[level - 1].begin; };
    const auto end = [&](std::size_t level) { return levels_[level - 1].end; };
    for (const UnaryStep& step : unary_) {
        if (next > static_cast<std::size_t>(step.level_cost)) {
            const std::size_t operand = next - static_cast<std::size_t>(step.level_cost);
            combine_unary(step, begin(operand), end(operand), false);
        }
    }
    for (std::size_t larger = next - 2; next >= 3 && larger >= 1; --larger) {
        const std::size_t smaller = next - 1 - larger;
        if (smaller > larger) break;
        if (smaller < 1) continue;
        const bool rare = larger <= kRareOperandLevel;
        for (std::size_t i = begin(larger); i < end(larger) && !full(); ++i) {
            const std::size_t low = begin(smaller), high = smaller == larger ? i + 1 : end(smaller);
            for (const Op op : binary_) {
                combine_binary(op, i, low, high, false);
                if (op == Op::Sub || op == Op::Div) combine_binary(op, i, low, high, true);
            }
            if (!rare) continue;
            for (const Op op : rare_binary_) {
                combine_binary(op, i, low, high, false);
                combine_binary(op, i, low, high, true);
            }
        }
    }
    levels_.push_back({first, nodes_.size()});
    return nodes_.size() > first || next < 5;
}

void Library::prepare(std::size_t count) {
    count = std::min(count, nodes_.size());
    if (count <= prepared_) return;
    const eval::FlushSubnormals guard(eval::kernels());
    const std::size_t n = screen_padded_;
    screen_.resize(count * n);
    for (std::size_t i = prepared_; i < count; ++i) {
        const Entry& entry = nodes_[i];
        double* out = &screen_[i * n];
        if (entry.op == Op::Feature) {
            const std::vector<double>& values = variables_[entry.a].values;
            for (std::size_t k = 0; k < n; ++k) out[k] = values[screen_rows_[std::min(k, screen_rows_.size() - 1)]];
        } else if (entry.op == Op::Constant) {
            std::fill_n(out, n, constants_[entry.a]);
        } else {
            const double* second = arity(entry.op) == 1 ? nullptr : &screen_[entry.b * n];
            apply(entry.op, out, &screen_[entry.a * n], second, n);
        }
    }
    prepared_ = count;
}

Expression Library::build(std::size_t i) const {
    const Entry& entry = nodes_[i];
    if (entry.op == Op::Feature) return variables_[entry.a].expression;
    if (entry.op == Op::Constant) return Expression::constant(constants_[entry.a]);
    const Expression a = build(entry.a);
    switch (entry.op) {
        case Op::Square:
            return vocabulary_->power(a, 2);
        case Op::Inv:
            return vocabulary_->reciprocal(a);
        case Op::Sqrt:
            return vocabulary_->power(a, 0.5);
        case Op::Cube:
            return vocabulary_->power(a, 3);
        default:
            break;
    }
    if (arity(entry.op) == 1) return vocabulary_->apply(entry.op, a);
    return vocabulary_->apply(entry.op, a, build(entry.b));
}

Expression Library::expression(std::size_t i) const {
    const Expression e = build(i);
    return e.nodes.empty() ? e : simplify(e, vocabulary_->operators());
}

}  // namespace balmer::search
