"""HTTP only: decode, call one function, encode. One controller per noun."""
