// Package packtest makes small installations to make packs of, for tests.
package packtest
