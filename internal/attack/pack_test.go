package attack

import (
	"path/filepath"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/pack"
)

// packed makes the salted roots of what was collected, and a pack.
func (h *house) packed(s *app.Installation) {
	h.Helper()
	_, err := s.Packs.Leave(h.Context(), time.Minute)
	h.ok(err)
	now := s.Now()
	tenants, err := s.Archive.Tenants(h.Context())
	h.ok(err)
	_, err = s.MakePack(h.Context(), pack.Options{Tenant: tenants[0], From: now.AddDate(0, -1, 0), To: now.Add(time.Hour), Reader: "auditor", Evidence: "none",
		Out: filepath.Join(h.TempDir(), "pack.zip")})
	h.ok(err)
}
