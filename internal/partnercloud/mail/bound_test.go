package mail

import (
	"fmt"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// A client that reads cannot fill the memory: copies double a folder with each command,
// and folders cost nothing to make.
func TestReadersAreBounded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := oauth{"ada@t.example", l.token(nil)}
	if err := l.send(ada, "ada@t.example", "ada@t.example", "ada@t.example"); err != nil {
		t.Fatal(err)
	}
	c, err := imapclient.DialTLS(l.imap, &imapclient.Options{TLSConfig: l.tls})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Authenticate(ada); err != nil {
		t.Fatal(err)
	}
	all := imap.SeqSet{}
	all.AddRange(1, 0)
	folders := []string{"INBOX", "Drafts"}
	n := 0
	for ; n < 30; n++ {
		if _, err := c.Select(folders[n%2], nil).Wait(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Copy(all, folders[(n+1)%2]).Wait(); err != nil {
			break
		}
	}
	if n < 3 || n == 30 {
		t.Errorf("%d copies", n)
	}
	n = 0
	for ; n < 2*maxFolders; n++ {
		if err := c.Create(fmt.Sprint("folder ", n), nil).Wait(); err != nil {
			break
		}
	}
	if n != maxFolders {
		t.Errorf("%d folders", n)
	}
}
