package otp_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"partnerguard/internal/otp"
	"partnerguard/internal/problem"
)

const address = "otpauth://totp/Contoso:ada?secret=JBSWY3DPEHPK3PXP&issuer=Contoso"

// picture is a screen with a QR code somewhere on it.
func picture(t testing.TB, text string) image.Image {
	t.Helper()
	bits, err := qrcode.NewQRCodeWriter().EncodeWithoutHint(text, gozxing.BarcodeFormat_QR_CODE, 240, 240)
	if err != nil {
		t.Fatal(err)
	}
	m := image.NewGray(image.Rect(0, 0, 800, 500))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.Gray{Y: 230}), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(300, 100, 540, 340), bits, image.Point{}, draw.Src)
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadPicture(t *testing.T) {
	t.Parallel()
	m := picture(t, address)
	var j bytes.Buffer
	if err := jpeg.Encode(&j, m, nil); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"PNG": pngOf(t, m), "JPEG": j.Bytes()} {
		if got, err := otp.ReadPicture(raw); err != nil || got.Reveal() != address {
			t.Errorf("%s: %q, %v", name, got.Reveal(), err)
		}
	}
	whole := pngOf(t, m)
	for name, row := range map[string]struct {
		raw  []byte
		kind problem.Kind
	}{
		"nothing":   {nil, problem.BadInput},
		"text":      {[]byte(address), problem.BadInput},
		"cut off":   {whole[:len(whole)/2], problem.BadInput},
		"no code":   {pngOf(t, image.NewGray(image.Rect(0, 0, 50, 50))), problem.BadInput},
		"one point": {pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1))), problem.BadInput},
		"vast":      {pngOf(t, image.NewGray(image.Rect(0, 0, 8000, 8000))), problem.Limit},
		"too large": {make([]byte, otp.MaxPicture+1), problem.Limit},
	} {
		if got, err := otp.ReadPicture(row.raw); !errors.Is(err, row.kind) {
			t.Errorf("%s: %q, %v", name, got.Reveal(), err)
		}
	}
}

func FuzzPicture(f *testing.F) {
	f.Add(pngOf(f, picture(f, address)))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _ = otp.ReadPicture(raw) })
}
