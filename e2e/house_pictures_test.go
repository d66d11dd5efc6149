//go:build browser

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// most is how large a picture of the documentation may be.
const most = 150_000

// pictures makes those of the README and the documentation in the folder that PICTURES
// names, as make pictures does.
func (h *house) pictures(t *testing.T, who context.Context) {
	dir := os.Getenv("PICTURES")
	if dir == "" {
		t.Skip("PICTURES names no folder")
	}
	p := open(t, who, h.public+"/coverage", 1440, "light")
	cell := eval[string](t, p, `return document.querySelector('a.cell.h[href*="cell="], a.cell.g').href`)
	visit(t, p, h.public+"/delegation")
	fabrikam := eval[string](t, p, `return [...document.querySelectorAll('a[href*="/delegation/paths?tenant="]')].find(
		a => a.textContent.includes("Fabrikam")).href.split("tenant=")[1]`)
	visit(t, p, h.public+"/signins")
	row := eval[string](t, p, `return document.querySelector('#rows th a[href*="row="]').href`)
	for _, x := range []struct {
		name, at, scheme string
		width, height    int64
	}{
		{"status", h.public + "/status", "light", 1440, 900}, {"people", h.public + "/people?proof=open", "light", 1440, 900},
		{"coverage", cell, "light", 1440, 900}, {"signins", row, "light", 1440, 900}, {"customers", h.public + "/customers", "light", 1440, 900},
		{"delegation", h.public + "/delegation", "light", 1440, 900}, {"paths", h.public + "/delegation/paths?tenant=" + fabrikam, "light", 1440, 900},
		{"spend", h.public + "/spend", "light", 1440, 900}, {"status-phone", h.public + "/status", "dark", 390, 900},
	} {
		shape(t, p, x.width, x.scheme)
		visit(t, p, x.at)
		picture(t, p, "console-"+x.name, x.width, x.height)
	}
}

// picture keeps one of the documentation where PICTURES names a folder: the top of the
// page as it is, without a cursor.
func picture(t *testing.T, p *tab, name string, width, height int64) {
	t.Helper()
	part(t, p, name, cdppage.Viewport{Width: float64(width), Height: float64(height), Scale: 1})
}

// part is a picture of a part of the page.
func part(t *testing.T, p *tab, name string, clip cdppage.Viewport) {
	t.Helper()
	dir := os.Getenv("PICTURES")
	if dir == "" {
		return
	}
	yes := true
	eval[bool](t, p, `scrollTo(0, 0); document.activeElement.blur(); return true`)
	shot, err := chromedp.Call(p.ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
		Format: "png", CaptureBeyondViewport: &yes, Clip: &clip})
	if err != nil {
		t.Fatal(err)
	}
	small := fewer(t, shot.Data)
	if len(small) > most {
		t.Errorf("the picture %s has %d bytes", name, len(small))
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), small, 0o644); err != nil {
		t.Fatal(err)
	}
}

// snap is a picture of a page at the width of a small window, as high as it is.
func snap(t *testing.T, p *tab, name string) {
	t.Helper()
	if os.Getenv("PICTURES") == "" {
		return
	}
	shape(t, p, 720, "light")
	if _, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 720, Height: 200,
		DeviceScaleFactor: 1}); err != nil { // low, since a card stands in the middle
		t.Fatal(err)
	}
	picture(t, p, name, 720, eval[int64](t, p, `const r = document.querySelector("main").getBoundingClientRect();
		return Math.ceil(r.bottom + scrollY)`))
	shape(t, p, 1280, "light")
}

// fewer is a picture in its 256 most frequent colours: a page has few, and shades of its
// letters.
func fewer(t *testing.T, data []byte) []byte {
	t.Helper()
	in, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(in.At(x, y)).(color.RGBA) }
	box := in.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	all := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var few color.Palette
	for _, c := range all[:min(len(all), 256)] {
		few = append(few, c)
	}
	near := map[color.RGBA]uint8{}
	out := image.NewPaletted(box, few)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := at(x, y)
			i, known := near[c]
			if !known {
				i = uint8(few.Index(c))
				near[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
