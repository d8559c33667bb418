Facts about the machine come from the debugger's keys.

  $ printf 'BUGCHECK_CODE:  d1\nBASEBOARD_PRODUCT:  Made-up Board 7\n' | dfrule facts - | grep machine.board
    machine.board          Made-up Board 7                                  line 2
