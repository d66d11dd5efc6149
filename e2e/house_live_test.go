//go:build browser

package e2e

import "testing"

// The console of an installation that is connected, collected and judged, in a browser.
func TestHouse(t *testing.T) {
	h := newHouse(t)
	t.Run("pictures", func(t *testing.T) { h.pictures(t, h.operator(t)) }) // before anything is changed
	t.Run("entry", h.entry)
	t.Run("reader", h.reader)
	t.Run("posture", func(t *testing.T) { h.posture(t, h.operator(t)) })
	t.Run("reach", func(t *testing.T) { h.reach(t, h.operator(t)) })
	t.Run("evidence", func(t *testing.T) { h.evidence(t, h.operator(t)) })
	t.Run("shell", func(t *testing.T) { h.shell(t, h.operator(t)) })
	t.Run("no script", func(t *testing.T) { h.noScript(t, h.operator(t)) })
	t.Run("keyboard", func(t *testing.T) { h.keyboard(t, h.operator(t)) })
	t.Run("remedy", func(t *testing.T) { h.remedy(t, h.operator(t)) })
	t.Run("practices", func(t *testing.T) { h.practices(t, h.operator(t)) })
	t.Run("packs", func(t *testing.T) { h.packs(t, h.operator(t)) })
	t.Run("forms", func(t *testing.T) { h.everyForm(t, h.operator(t)) })
}
