package screen

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"path"
	"strings"
	"sync"

	"partnerguard/internal/page"
)

//go:embed console.css
var consoleCSS string

//go:embed console.js
var consoleJS string

//go:embed sprite.html
var glyphs string

//go:embed static/inter.woff2
var inter string

//go:embed static/inter-ext.woff2
var interExt string

//go:embed static/OFL.txt
var interLicence string

// Asset is a file that pages load from this server. Its name has a hash of its bytes, so
// that it may be kept for ever.
type Asset struct {
	Name string // "console.1f0c….css"
	Type string
	Body []byte
}

// Path is its address.
func (a *Asset) Path() string { return Static + a.Name }

// Static is where assets are.
const Static = "/static/"

// Policy is the content security policy of a page of the console: everything from this
// server, nothing inline (CSP Level 3).
const Policy = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type assets struct{ style, script, font, fontExt, licence, icon *Asset }

var files = sync.OnceValue(func() assets {
	a := assets{
		font:    asset("inter.woff2", "font/woff2", inter),
		fontExt: asset("inter-ext.woff2", "font/woff2", interExt),
		licence: asset("OFL.txt", "text/plain; charset=utf-8", interLicence),
		icon:    asset("icon.svg", "image/svg+xml", page.Icon),
		script:  asset("console.js", "text/javascript; charset=utf-8", consoleJS),
	}
	css := string(page.NewSheet(consoleCSS).CSS)
	css = strings.NewReplacer("url(FONT-EXT)", "url("+a.fontExt.Path()+")", "url(FONT)", "url("+a.font.Path()+")").Replace(css)
	a.style = asset("console.css", "text/css; charset=utf-8", css)
	return a
})

// Assets are the files that pages load.
func Assets() []*Asset {
	a := files()
	return []*Asset{a.style, a.script, a.font, a.fontExt, a.licence, a.icon}
}

// Sheet is the address of the style sheet, for pages of the console that are not a
// [Screen], such as the one to sign in at; their policy is [Policy].
func Sheet() string { return files().style.Path() }

// Icon is the address of the icon of the browser's tab.
func Icon() string { return files().icon.Path() }

func asset(name, kind, body string) *Asset {
	sum := sha256.Sum256([]byte(body))
	ext := path.Ext(name)
	return &Asset{strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext, kind, []byte(body)}
}
