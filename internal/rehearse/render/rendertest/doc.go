// Package rendertest makes rehearsal results for tests of whatever shows one: a
// typical one, one where nothing changes, an empty, a huge and a hostile one.
// Tests only.
package rendertest
