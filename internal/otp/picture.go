package otp

import (
	"bytes"
	"image"
	_ "image/gif" // pictures that pages show
	_ "image/jpeg"
	_ "image/png"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Limits of a picture: a screen's is well below.
const (
	MaxPicture = 16 << 20 // bytes
	maxPixels  = 32 << 20
)

// ReadPicture gives the text of the QR code in a PNG, JPEG or GIF, such as a picture
// of a part of the screen. The text is a secret.
func ReadPicture(raw []byte) (text secret.Text, err error) {
	if len(raw) > MaxPicture {
		return text, problem.New(problem.Limit, "the picture is larger than %d MiB", MaxPicture>>20)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return text, problem.Wrap(err, problem.BadInput, "this is no picture that can be read").WithHint("PNG, JPEG and GIF are read")
	}
	if c.Width <= 0 || c.Height <= 0 || int64(c.Width)*int64(c.Height) > maxPixels {
		return text, problem.New(problem.Limit, "the picture has %d × %d points, and is not looked at", c.Width, c.Height).WithHint("cut out the QR code")
	}
	none := problem.New(problem.BadInput, "there is no QR code in the picture that can be read").
		WithHint("take the picture larger, with the white border around the code; or use the secret key that the page shows beside it: --secret -")
	defer func() { // the reader of the code is not ours, and the picture is anybody's
		if recover() != nil {
			text, err = secret.Text{}, none
		}
	}()
	m, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return text, problem.Wrap(err, problem.BadInput, "the picture is damaged or cut off")
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		return text, none
	}
	found, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return text, none
	}
	return secret.New(found.GetText()), nil
}

// IsPicture says whether a file begins as a picture does.
func IsPicture(raw []byte) bool {
	for _, magic := range []string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a"} {
		if bytes.HasPrefix(raw, []byte(magic)) {
			return true
		}
	}
	return false
}
