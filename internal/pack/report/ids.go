package report

import (
	"strings"

	"github.com/google/uuid"

	"partnerguard/internal/problem"
)

// space is the namespace of our UUIDs of version 5 (RFC 9562): they come of what they name,
// so that equal facts give equal bytes.
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://partnerguard.dev/pack"))

// id names a thing of this pack.
func (in *Input) id(parts ...string) string {
	return uuid.NewSHA1(space, []byte(in.Name+"\x00"+strings.Join(parts, "\x00"))).String()
}

func unreadable(err error, what string) error {
	return problem.Wrap(err, problem.BadInput, "%s", what).WithHint("the pack was changed, or was made by a later version")
}
