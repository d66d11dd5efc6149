package intake

import (
	"bufio"
	"encoding/json"
	"io"

	"partnerguard/internal/evidence"
	"partnerguard/internal/vouch"
)

// vouched reads a file of attestations and exceptions. It is read strictly, all or
// nothing: what somebody answers for is not guessed at.
func (f *file) vouched(br *bufio.Reader) error {
	f.in.Format = "attestations"
	raw, err := io.ReadAll(io.LimitReader(br, vouch.MaxFile+1))
	if err != nil {
		return err
	}
	list, err := vouch.Parse(f.in.Path, raw)
	if err != nil {
		f.in.Count(evidence.Vouched, 0)
		f.faultOf(evidence.Vouched, f.at(place{}), "nothing that it vouches for counts: "+err.Error())
		return nil
	}
	if len(list) == 0 {
		f.emptyList(evidence.Vouched, "")
	}
	for i := range list {
		b, err := json.Marshal(&list[i])
		if err != nil {
			return err
		}
		if err := f.emit(evidence.Vouched, b, place{line: list[i].Source.Line}); err != nil {
			return err
		}
	}
	return nil
}
