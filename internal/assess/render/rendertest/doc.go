// Package rendertest makes reports for tests of whatever shows one: a typical
// partner, an empty one, a huge one and a hostile one. It knows the types of a
// report and nothing about how a report is shown. Tests only.
package rendertest
