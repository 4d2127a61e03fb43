// The kernels of one instruction set, made from the table of operators. Included by isa/*.cpp inside an anonymous
// namespace, after the vector types and functions of that set, its sums and its control of subnormals. Arrays come in
// multiples of 16 values (kSumLanes), so only the sums have remainders.

/// Each row of the table as a type: its value and derivatives over any vector type.
#define BALMER_OP(ID, NAMES, ARITY, VALUE, DA, DB, DC, ...)                                         \
    struct ID##Row {                                                                                \
        static constexpr int kArity = ARITY;                                                        \
        template <class V>                                                                          \
        static V value([[maybe_unused]] V a, [[maybe_unused]] V b, [[maybe_unused]] V c) noexcept { \
            return VALUE;                                                                           \
        }                                                                                           \
        template <int operand, class V>                                                             \
        static V derivative([[maybe_unused]] V a, [[maybe_unused]] V b, [[maybe_unused]] V c,       \
                            [[maybe_unused]] V y) noexcept {                                        \
            if constexpr (operand == 0) return DA;                                                  \
            if constexpr (operand == 1) return DB;                                                  \
            if constexpr (operand == 2) return DC;                                                  \
        }                                                                                           \
    };
#include "balmer/expr/operators.def"
#undef BALMER_OP

/// An operand: an array, one value for all rows, or none.
enum class Operand : std::uint8_t { array, single, none };

constexpr Operand operand_of(int arity, Form form, int which) noexcept {
    if (which >= arity) return Operand::none;
    if ((form == vs && which == 1) || (form == sv && which == 0)) return Operand::single;
    return Operand::array;
}

template <Operand kind, class T>
Vec<T> first_value(const T* p) noexcept {
    if constexpr (kind == Operand::single) return Vec<T>::broadcast(*p);
    return Vec<T>::broadcast(T(0));
}

template <Operand kind, class T>
Vec<T> next_value(const T* p, std::size_t i, Vec<T> first) noexcept {
    if constexpr (kind == Operand::array) return Vec<T>::load(p + i);
    return first;
}

/// Rows of one turn of a loop. The compiler unrolls what is small and leaves the long functions alone.
constexpr std::size_t kTurn = 16;

/// Rows whose function has a rare case that a call deals with: a register holds no constant over a call, so the loop over
/// ordinary values must have none.
template <class Row>
struct Ordinary {
    static constexpr bool kDiffers = false;
};

struct OrdinaryTurns {
    static constexpr bool kDiffers = true;
    template <class V>
    static bool all(V a) noexcept {
        return has_ordinary_turns(a);
    }
};
template <>
struct Ordinary<SinRow> : OrdinaryTurns {
    template <class V>
    static V value(V a) noexcept {
        return ordinary_sin(a);
    }
};
template <>
struct Ordinary<CosRow> : OrdinaryTurns {
    template <class V>
    static V value(V a) noexcept {
        return ordinary_cos(a);
    }
};

template <class Row, class T>
[[gnu::noinline]] void one_vector(T* out, const T* a) noexcept {
    const Vec<T> x = Vec<T>::load(a);
    Row::value(x, x, x).store(out);
}

template <class Row, class T>
void forward_ordinary(T* out, const T* a, const T*, const T*, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; i += Vec<T>::kSize) {
        for (; i < n; i += Vec<T>::kSize) {
            const Vec<T> x = Vec<T>::load(a + i);
            if (!Ordinary<Row>::all(x)) break;
            Ordinary<Row>::value(x).store(out + i);
        }
        if (i < n) one_vector<Row>(out + i, a + i);
    }
}

template <class Row, class T, Form form>
void forward(T* out, const T* a, const T* b, const T* c, std::size_t n) noexcept {
    constexpr Operand ka = operand_of(Row::kArity, form, 0), kb = operand_of(Row::kArity, form, 1),
                      kc = operand_of(Row::kArity, form, 2);
    const Vec<T> a0 = first_value<ka>(a), b0 = first_value<kb>(b), c0 = first_value<kc>(c);
    for (std::size_t i = 0; i < n; i += kTurn) {
        for (std::size_t j = i; j < i + kTurn; j += Vec<T>::kSize) {
            Row::value(next_value<ka>(a, j, a0), next_value<kb>(b, j, b0), next_value<kc>(c, j, c0)).store(out + j);
        }
    }
}

template <class First, class Second, Chained chained, class T, Form form, bool single>
void chain(T* out, const T* a, const T* b, const T* c, std::size_t n) noexcept {
    constexpr Operand ka = operand_of(2, form, 0), kb = operand_of(2, form, 1),
                      kc = single ? Operand::single : Operand::array;
    const Vec<T> a0 = first_value<ka>(a), b0 = first_value<kb>(b), c0 = first_value<kc>(c);
    for (std::size_t i = 0; i < n; i += kTurn) {
        for (std::size_t j = i; j < i + kTurn; j += Vec<T>::kSize) {
            const Vec<T> inner = First::value(next_value<ka>(a, j, a0), next_value<kb>(b, j, b0), a0);
            const Vec<T> other = next_value<kc>(c, j, c0);
            const bool first = chained == first_operand;
            Second::value(first ? inner : other, first ? other : inner, a0).store(out + j);
        }
    }
}

template <class Row, int operand, class T, Form form>
void backward(T* out, const T* g, const T* a, const T* b, const T* c, const T* y, std::size_t n) noexcept {
    constexpr Operand ka = operand_of(Row::kArity, form, 0), kb = operand_of(Row::kArity, form, 1),
                      kc = operand_of(Row::kArity, form, 2);
    const Vec<T> a0 = first_value<ka>(a), b0 = first_value<kb>(b), c0 = first_value<kc>(c);
    for (std::size_t i = 0; i < n; i += kTurn) {
        for (std::size_t j = i; j < i + kTurn; j += Vec<T>::kSize) {
            const Vec<T> slope = Row::template derivative<operand>(next_value<ka>(a, j, a0), next_value<kb>(b, j, b0),
                                                                   next_value<kc>(c, j, c0), Vec<T>::load(y + j));
            (Vec<T>::load(g + j) * opaque(slope)).store(out + j);
        }
    }
}

struct CopyRow {
    static constexpr int kArity = 1;
    template <class V>
    static V value(V a, V, V) noexcept {
        return a;
    }
};

template <class T>
Mask<T> is_finite(Vec<T> x) noexcept {
    return abs(x) <= Vec<T>::broadcast(Format<T>::kMax);
}

struct PreferRow {
    static constexpr int kArity = 3;
    template <class T>
    static Vec<T> value(Vec<T> a, Vec<T> b, Vec<T> c) noexcept {
        return where((c > 0) & !is_finite(a) & (b == b), b, a);  // a right infinity may have no logarithm
    }
};

template <class T>
void fill(T* out, const T* a, const T*, const T*, std::size_t n) noexcept {
    const Vec<T> value = Vec<T>::broadcast(*a);
    for (std::size_t i = 0; i < n; i += Vec<T>::kSize) value.store(out + i);
}

template <class T>
void stream(T* out, const T* a, std::size_t n) noexcept {
    std::size_t i = 0;
    while (i < n && reinterpret_cast<std::uintptr_t>(out + i) % sizeof(typename Native<T>::Real) != 0) {
        out[i] = a[i];
        ++i;
    }
    for (; i + Vec<T>::kSize <= n; i += Vec<T>::kSize) Vec<T>::load(a + i).stream(out + i);
    for (; i < n; ++i) out[i] = a[i];
}

/// Zero times a number is zero unless the number is not finite: the sum of such products is NaN then. Several sums, or
/// each product would wait for the one before.
template <class T>
bool all_finite(const T* values, std::size_t n) noexcept {
    constexpr std::size_t kSums = 4, kStep = kSums * Vec<T>::kSize;
    Vec<T> sums[kSums] = {Vec<T>(0), Vec<T>(0), Vec<T>(0), Vec<T>(0)};
    const std::size_t whole = n - n % kStep;
    for (std::size_t i = 0; i < whole; i += kStep) {
#pragma GCC unroll 4
        for (std::size_t k = 0; k < kSums; ++k) {
            sums[k] = fma(Vec<T>::load(values + i + k * Vec<T>::kSize), Vec<T>(0), sums[k]);
        }
    }
    T rest = 0;
    for (std::size_t i = whole; i < n; ++i) rest += values[i] * 0;
    const Vec<T> sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    return !any(sum != 0) && rest == 0;
}

/// `test` of each row, as bits.
template <class T, class Test>
void mark_rows(const T* values, std::size_t n, std::uint16_t* rows, Test test) noexcept {
    for (std::size_t i = 0; i < n; i += kTurn) {
        unsigned found = 0;
        for (std::size_t j = 0; j < kTurn; j += Vec<T>::kSize) found |= lanes(test(Vec<T>::load(values + i + j))) << j;
        rows[i / kTurn] = static_cast<std::uint16_t>(rows[i / kTurn] | found);
    }
}

template <class T>
void mark_not_finite(const T* values, std::size_t n, std::uint16_t* rows) noexcept {
    mark_rows(values, n, rows, [](Vec<T> x) noexcept { return !is_finite(x); });
}

template <class T>
void mark_out_of_range(const T* values, std::size_t n, std::uint16_t* rows) noexcept {
    mark_rows(values, n, rows,
              [](Vec<T> x) noexcept { return (x == 0) | (abs(x) == Vec<T>::broadcast(kInfinity<T>)); });
}

template <class Row, class T, Form form>
constexpr ForwardKernel<T> forward_or_null() noexcept {
    if constexpr (Ordinary<Row>::kDiffers)
        return form == vv ? forward_ordinary<Row, T> : nullptr;
    else if constexpr (form == vv || Row::kArity == 2)
        return forward<Row, T, form>;
    return nullptr;
}

template <class Row, std::size_t row, int operand, class T, Form form>
constexpr BackwardKernel<T> backward_or_null() noexcept {
    if constexpr (operand < Row::kArity && (form == vv || Row::kArity == 2) &&
                  kDerivative[row][operand] == Derivative::general) {
        return backward<Row, operand, T, form>;
    }
    return nullptr;
}

template <class Row, std::size_t row, class T>
constexpr void fill_row(Kernels<T>& kernels) noexcept {
    kernels.forward[row][vv] = forward_or_null<Row, T, vv>();
    kernels.forward[row][vs] = forward_or_null<Row, T, vs>();
    kernels.forward[row][sv] = forward_or_null<Row, T, sv>();
    kernels.backward[row][0][vv] = backward_or_null<Row, row, 0, T, vv>();
    kernels.backward[row][0][vs] = backward_or_null<Row, row, 0, T, vs>();
    kernels.backward[row][0][sv] = backward_or_null<Row, row, 0, T, sv>();
    kernels.backward[row][1][vv] = backward_or_null<Row, row, 1, T, vv>();
    kernels.backward[row][1][vs] = backward_or_null<Row, row, 1, T, vs>();
    kernels.backward[row][1][sv] = backward_or_null<Row, row, 1, T, sv>();
    kernels.backward[row][2][vv] = backward_or_null<Row, row, 2, T, vv>();
}

enum class RowNumber : std::size_t {
#define BALMER_OP(ID, ...) ID,
#include "balmer/expr/operators.def"
#undef BALMER_OP
};

template <std::size_t row>
struct RowOf;
#define BALMER_OP(ID, ...)                                  \
    template <>                                             \
    struct RowOf<static_cast<std::size_t>(RowNumber::ID)> { \
        using Type = ID##Row;                               \
    };
#include "balmer/expr/operators.def"
#undef BALMER_OP

/// No intermediate value is subnormal, as x is not.
double log_of_one(double x) noexcept {
    constexpr double kSmallest = 0x1p-1022;
    const Vec<double> a = Vec<double>::broadcast(x < kSmallest && x > -kSmallest ? 0.0 : x);
    alignas(64) double lanes[Vec<double>::kSize];
    LogRow::value(a, a, a).store(lanes);
    return lanes[0];
}

template <std::size_t first, std::size_t second, Chained chained, class T>
constexpr void fill_chain(Kernels<T>& kernels) noexcept {
    using First = typename RowOf<kArithmetic.row[first]>::Type;
    using Second = typename RowOf<kArithmetic.row[second]>::Type;
    auto& forms = kernels.chain[chained][first][second];
    forms[vv][false] = chain<First, Second, chained, T, vv, false>;
    forms[vs][false] = chain<First, Second, chained, T, vs, false>;
    forms[sv][false] = chain<First, Second, chained, T, sv, false>;
    forms[vv][true] = chain<First, Second, chained, T, vv, true>;
    forms[vs][true] = chain<First, Second, chained, T, vs, true>;
    forms[sv][true] = chain<First, Second, chained, T, sv, true>;
}

/// The chains from number `pair` on.
template <std::size_t pair, class T>
constexpr void fill_chains(Kernels<T>& kernels) noexcept {
    if constexpr (pair < kArithmeticRows * kArithmeticRows) {
        fill_chain<pair / kArithmeticRows, pair % kArithmeticRows, first_operand>(kernels);
        fill_chain<pair / kArithmeticRows, pair % kArithmeticRows, second_operand>(kernels);
        fill_chains<pair + 1>(kernels);
    }
}

template <class T>
constexpr Kernels<T> make_kernels() noexcept {
    Kernels<T> kernels{};
    fill_chains<0>(kernels);
#define BALMER_OP(ID, ...) fill_row<ID##Row, static_cast<std::size_t>(RowNumber::ID), T>(kernels);
#include "balmer/expr/operators.def"
#undef BALMER_OP
    kernels.fill = fill<T>;
    kernels.copy = forward<CopyRow, T, vv>;
    kernels.negate = forward<NegRow, T, vv>;
    kernels.add = forward<AddRow, T, vv>;
    kernels.prefer = forward<PreferRow, T, vv>;
    kernels.stream = stream<T>;
    kernels.all_finite = all_finite<T>;
    kernels.mark_not_finite = mark_not_finite<T>;
    kernels.mark_out_of_range = mark_out_of_range<T>;
    kernels.squared_error = squared_error<T>;
    kernels.residuals = residuals<T>;
    kernels.normal_equations = normal_equations<T>;
    return kernels;
}

constexpr KernelTable make_table(const char* isa) noexcept {
    return {
        isa,  make_kernels<double>(), make_kernels<float>(), log_of_one, dot, subtract_multiple, enter_fp, restore_fp,
        fence};
}
