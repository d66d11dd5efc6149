//go:build browser

package e2e

import (
	"io"
	"testing"

	"partnerguard/internal/prove"
	proof "partnerguard/internal/prove/render"
	prooftest "partnerguard/internal/prove/render/rendertest"
	"partnerguard/internal/rehearse"
	rehearsal "partnerguard/internal/rehearse/render"
	rehearsaltest "partnerguard/internal/rehearse/render/rendertest"
)

func saveProof(t *testing.T, r *prove.Report) string {
	t.Helper()
	return save(t, func(w io.Writer) error { return proof.HTML(w, r) })
}

func saveRehearsal(t *testing.T, r *rehearse.Result) string {
	t.Helper()
	return save(t, func(w io.Writer) error { return rehearsal.HTML(w, r) })
}

func TestProofInTheBrowser(t *testing.T) {
	root := browser(t)
	for name, r := range map[string]*prove.Report{
		"typical": prooftest.Typical(), "single": prooftest.Single(), "proved": prooftest.Proved(), "unknown": prooftest.Unknown(),
		"empty": prooftest.Empty(), "huge": prooftest.Huge(), "hostile": prooftest.Hostile(),
	} {
		look(t, root, "proof-"+name, saveProof(t, r))
	}
}

func TestRehearsalInTheBrowser(t *testing.T) {
	root := browser(t)
	for name, r := range map[string]*rehearse.Result{
		"typical": rehearsaltest.Typical(), "calm": rehearsaltest.Calm(), "empty": rehearsaltest.Empty(),
		"huge": rehearsaltest.Huge(20_000), "hostile": rehearsaltest.Hostile(),
	} {
		look(t, root, "rehearsal-"+name, saveRehearsal(t, r))
	}
}

func TestAnswersByKeyboard(t *testing.T) {
	root := browser(t)
	tabThrough(t, root, saveProof(t, prooftest.Huge()), 15)
	tabThrough(t, root, saveRehearsal(t, rehearsaltest.Typical()), 15)
}

func TestAnswersOnPaper(t *testing.T) {
	root := browser(t)
	paper(t, root, "proof", saveProof(t, prooftest.Typical()))
	paper(t, root, "rehearsal", saveRehearsal(t, rehearsaltest.Typical()))
}
