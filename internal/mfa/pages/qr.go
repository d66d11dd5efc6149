package pages

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/boombuler/barcode/qr"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// quiet is the margin that readers want around a QR picture, in modules (ISO/IEC 18004).
const quiet = 4

// picture draws a text as a QR picture, in SVG: runs of dark modules as rectangles.
func picture(text secret.Text) (template.HTML, error) {
	code, err := qr.Encode(text.Reveal(), qr.M, qr.Auto)
	if err != nil {
		return "", problem.New(problem.Internal, "the picture cannot be drawn") // the cause could have the text in it
	}
	n := code.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; {
			run := 0
			for x+run < n && dark(code.At(x+run, y)) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
			}
			x += run + 1
		}
	}
	size := n + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" role="img" aria-label="QR picture for your authenticator app" shape-rendering="crispEdges">`+
		`<path d="%s"/></svg>`, size, size, path.String())), nil //nolint:gosec // numbers alone
}

func dark(c interface{ RGBA() (r, g, b, a uint32) }) bool {
	r, _, _, _ := c.RGBA()
	return r < 0x8000
}
