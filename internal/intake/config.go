package intake

import "bufio"

func isConfig([]byte) bool { return false }

func (f *file) config(*bufio.Reader) error { return nil }
func (f *file) dscRecord(raw []byte, p place) (taken bool, reason string, err error) {
	return false, dscResource, nil
}
func (f *file) terraform(raw []byte, p place) (taken bool, reason string, err error) {
	return false, terraformState, nil
}
func (f *file) azureHound(raw []byte, p place) (taken bool, reason string, err error) {
	return false, azureHound, nil
}
