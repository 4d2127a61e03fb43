// Sums over the rows of a block, in double, in 16 lanes whose order of additions is the same for every instruction set.
// Included by isa/*.cpp inside an anonymous namespace, before kernels.inl.

using Double = Vec<double>;
constexpr std::size_t kDoubles = Double::kSize;

Double load_double(const double* p) noexcept { return Double::load(p); }

/// As many floats as a register has doubles.
Double load_double(const float* p) noexcept { return Double::of(load_widened(p)); }

/// The rows of a last, incomplete turn, with zeros after them: a zero adds nothing to a lane.
template <class T>
struct Tail {
    T values[kSumLanes];

    Tail() = default;
    Tail(const T* p, std::size_t count) noexcept {
        for (std::size_t i = 0; i < kSumLanes; ++i) values[i] = i < count ? p[i] : T(0);
    }
};

/// sums[j] += w (y - p)^2 over whole turns.
template <class T>
void squared_error_turns(const T* p, const T* y, const T* w, std::size_t n, Double* sums) noexcept {
    for (std::size_t i = 0; i < n; i += kSumLanes) {
#pragma GCC unroll 16
        for (std::size_t j = 0; j < kSumLanes; j += kDoubles) {
            const Double d = load_double(y + i + j) - load_double(p + i + j);
            sums[j / kDoubles] = fma(w == nullptr ? d : load_double(w + i + j) * d, d, sums[j / kDoubles]);
        }
    }
}

template <class T>
void squared_error(const T* p, const T* y, const T* w, std::size_t n, double* lanes) noexcept {
    Double sums[kSumLanes / kDoubles];
    for (std::size_t j = 0; j < kSumLanes; j += kDoubles) sums[j / kDoubles] = Double::load(lanes + j);
    const std::size_t whole = n - n % kSumLanes;
    if (w == nullptr) {
        squared_error_turns<T>(p, y, nullptr, whole, sums);
    } else {
        squared_error_turns(p, y, w, whole, sums);
    }
    if (whole < n) {
        const Tail<T> last_p(p + whole, n - whole), last_y(y + whole, n - whole);
        Tail<T> last_w;
        if (w != nullptr) last_w = Tail<T>(w + whole, n - whole);
        squared_error_turns(last_p.values, last_y.values, w == nullptr ? nullptr : last_w.values, kSumLanes, sums);
    }
    for (std::size_t j = 0; j < kSumLanes; j += kDoubles) sums[j / kDoubles].store(lanes + j);
}

/// Columns of a tile of products: as many as leave their sums in registers.
constexpr std::size_t kTile = kDoubles == 8 ? 4 : kDoubles == 4 ? 3 : 2;

/// Some products of columns over the rows from `start` on: sums of w left[k] right[l] go to the lanes at place(k, l). The
/// pointers of the weights and of the residual column are already there.
template <class Left, class Right, class T>
struct Products {
    const Left* const* left;
    const Right* const* right;
    std::size_t left_start, right_start;
    const T* weights;  ///< or null
    std::size_t n;
    double* lanes;
    std::size_t first_left, first_right;  ///< numbers of the first columns, for their place in `lanes`
};

/// lanes of column k with column l <= k.
constexpr std::size_t place(std::size_t k, std::size_t l) noexcept { return (k * (k + 1) / 2 + l) * kSumLanes; }

/// `rows` rows (a multiple of 16) of one tile, one register of lanes at a time. On the diagonal only l <= k is summed.
template <std::size_t left_count, std::size_t right_count, bool diagonal, bool weighted, class Left, class Right, class T>
void tile_turns(const Left* const* left, const Right* const* right, const T* weights, std::size_t rows, double* const* places) noexcept {
    for (std::size_t lane = 0; lane < kSumLanes; lane += kDoubles) {
        Double sums[left_count][right_count];
#pragma GCC unroll 8
        for (std::size_t k = 0; k < left_count; ++k) {
#pragma GCC unroll 8
            for (std::size_t l = 0; l < (diagonal ? k + 1 : right_count); ++l) sums[k][l] = Double::load(places[k] + l * kSumLanes + lane);
        }
        for (std::size_t i = lane; i < rows; i += kSumLanes) {
            Double r[right_count];
#pragma GCC unroll 8
            for (std::size_t l = 0; l < right_count; ++l) r[l] = load_double(right[l] + i);
#pragma GCC unroll 8
            for (std::size_t k = 0; k < left_count; ++k) {
                Double factor = load_double(left[k] + i);
                if constexpr (weighted) factor = load_double(weights + i) * factor;
#pragma GCC unroll 8
                for (std::size_t l = 0; l < (diagonal ? k + 1 : right_count); ++l) sums[k][l] = fma(factor, r[l], sums[k][l]);
            }
        }
#pragma GCC unroll 8
        for (std::size_t k = 0; k < left_count; ++k) {
#pragma GCC unroll 8
            for (std::size_t l = 0; l < (diagonal ? k + 1 : right_count); ++l) sums[k][l].store(places[k] + l * kSumLanes + lane);
        }
    }
}

/// One tile over all rows of the block, the last incomplete turn included.
template <std::size_t left_count, std::size_t right_count, bool diagonal, class Left, class Right, class T>
void tile(const Products<Left, Right, T>& products) noexcept {
    double* places[left_count];
    for (std::size_t k = 0; k < left_count; ++k) {
        places[k] = products.lanes + place(products.first_left + k, products.first_right);
    }
    const Left* left[left_count];
    const Right* right[right_count];
    for (std::size_t k = 0; k < left_count; ++k) left[k] = products.left[k] + products.left_start;
    for (std::size_t l = 0; l < right_count; ++l) right[l] = products.right[l] + products.right_start;
    const std::size_t whole = products.n - products.n % kSumLanes, rest = products.n - whole;
    if (products.weights == nullptr) {
        tile_turns<left_count, right_count, diagonal, false>(left, right, products.weights, whole, places);
    } else {
        tile_turns<left_count, right_count, diagonal, true>(left, right, products.weights, whole, places);
    }
    if (rest == 0) return;
    Tail<Left> left_tails[left_count];
    Tail<Right> right_tails[right_count];
    for (std::size_t k = 0; k < left_count; ++k) {
        left_tails[k] = Tail<Left>(left[k] + whole, rest);
        left[k] = left_tails[k].values;
    }
    for (std::size_t l = 0; l < right_count; ++l) {
        right_tails[l] = Tail<Right>(right[l] + whole, rest);
        right[l] = right_tails[l].values;
    }
    if (products.weights == nullptr) {
        tile_turns<left_count, right_count, diagonal, false>(left, right, products.weights, kSumLanes, places);
    } else {
        const Tail<T> weights(products.weights + whole, rest);
        tile_turns<left_count, right_count, diagonal, true>(left, right, weights.values, kSumLanes, places);
    }
}

template <std::size_t left_count, class Left, class Right, class T>
void tile_of_width(const Products<Left, Right, T>& products, std::size_t right_count) noexcept {
    if constexpr (kTile >= 4) {
        if (right_count == 4) return tile<left_count, 4, false>(products);
    }
    if constexpr (kTile >= 3) {
        if (right_count == 3) return tile<left_count, 3, false>(products);
    }
    if (right_count == 2) return tile<left_count, 2, false>(products);
    tile<left_count, 1, false>(products);
}

template <class T>
void diagonal_tile(const Products<T, T, T>& products, std::size_t count) noexcept {
    if constexpr (kTile >= 4) {
        if (count == 4) return tile<4, 4, true>(products);
    }
    if constexpr (kTile >= 3) {
        if (count == 3) return tile<3, 3, true>(products);
    }
    if (count == 2) return tile<2, 2, true>(products);
    tile<1, 1, true>(products);
}

template <class T>
void square_tile(const Products<T, T, T>& products, std::size_t left_count, std::size_t right_count) noexcept {
    if constexpr (kTile >= 4) {
        if (left_count == 4) return tile_of_width<4>(products, right_count);
    }
    if constexpr (kTile >= 3) {
        if (left_count == 3) return tile_of_width<3>(products, right_count);
    }
    if (left_count == 2) return tile_of_width<2>(products, right_count);
    tile_of_width<1>(products, right_count);
}

template <class T>
void normal_equations(const T* const* J, std::size_t k_count, const T* p, const T* y, const T* w, std::size_t n,
                      double* lanes) noexcept {
    constexpr std::size_t kRows = 512;  // residuals at a time: 4 KiB of stack, a small part of the first cache
    double residuals[kRows];
    const double* const r = residuals;  // the column after the last one
    for (std::size_t start = 0; start < n; start += kRows) {
        const std::size_t rows = n - start < kRows ? n - start : kRows;
        for (std::size_t i = 0; i < rows; ++i) {
            residuals[i] = static_cast<double>(y[start + i]) - static_cast<double>(p[start + i]);
        }
        const T* const weights = w == nullptr ? nullptr : w + start;
        for (std::size_t k = 0; k < k_count; k += kTile) {
            const std::size_t left_count = k_count - k < kTile ? k_count - k : kTile;
            for (std::size_t l = 0; l < k; l += kTile) {
                square_tile(Products<T, T, T>{J + k, J + l, start, start, weights, rows, lanes, k, l}, left_count, kTile);
            }
            diagonal_tile(Products<T, T, T>{J + k, J + k, start, start, weights, rows, lanes, k, k}, left_count);
            tile_of_width<1>(Products<double, T, T>{&r, J + k, 0, start, weights, rows, lanes, k_count, k}, left_count);
        }
        tile<1, 1, true>(Products<double, double, T>{&r, &r, 0, 0, weights, rows, lanes, k_count, k_count});
    }
}
