package screen

import (
	"io"

	"partnerguard/internal/page"
)

// Solo writes a page of one question, without the frame: for whoever has not come in yet.
// Its policy is [Policy]; one whose form leads on to another host by a redirect must name
// that host in form-action too.
func (f *Frame) Solo(w io.Writer, title string, body Block) error {
	b := NewBuilder(f.Now)
	b.frame = f
	b.raw("<!DOCTYPE html>\n")
	b.Open("html", A("lang", "en"), A("dir", "ltr"), If(f.Theme != "", A("data-theme", f.Theme)))
	f.headOf(b, &Page{Title: title})
	b.Open("body")
	b.Open("main", A("class", "solo"), A("id", "content"))
	b.Class("p", "brand lgb")
	b.Icon("mark")
	b.Text("Partnerguard")
	b.End("p")
	body.Build(b)
	b.Elem("p", "This is not a Microsoft page and never asks for a Microsoft password.", A("class", "meta"))
	b.End("main")
	b.raw(page.Sprite(b.b.Bytes(), glyphs))
	b.End("body")
	b.End("html")
	_, err := w.Write(b.Bytes())
	return err
}
