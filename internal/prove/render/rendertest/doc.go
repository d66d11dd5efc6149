// Package rendertest makes proof reports for tests of whatever shows one: by
// the real engine over tenants written here, and a hostile one by hand. Tests
// only.
package rendertest
