//go:build browser

package e2e

import "testing"

// The console of an installation that is connected, collected and judged, in a browser.
func TestHouse(t *testing.T) {
	h := newHouse(t)
	t.Run("forms", func(t *testing.T) { h.everyForm(t, h.operator(t)) })
	t.Run("keyboard", func(t *testing.T) { h.keyboard(t, h.operator(t)) })
}
