Several crashes of one machine.

  $ c=corpus/transcripts; dfrule check --together $c/{139_list_in_tcpip,3b_program_frames,1a_stray_bit,f7_single_bit}.txt | sed -n '1,2p;/^What they/,/suspect:/p'
  4 crashes looked at together
    1. 0x139: ottervpn.sys                                                  likely
  What they have in common
    4 bug checks, 1 suspected module

  The machine
    most likely: Faulty memory, or what feeds it: strong, settled; suspect:

One text twice is one crash; one crash has nothing to be compared with.

  $ dfrule check --together corpus/transcripts/double_fault_iastor.txt corpus/transcripts/double_fault_iastor.txt
  1 crash looked at together
    1. 0x7F: iaStor.sys                                                     likely
       corpus/transcripts/double_fault_iastor.txt
    2. 0x7F: the same crash as 1, counted once
       corpus/transcripts/double_fault_iastor.txt

  What they have in common
    1 bug check, 1 suspected module

  The machine
    One crash has nothing to be compared with: give more of them.

Other architectures are other machines.

  $ dfrule check --together corpus/transcripts/{139_list_in_tcpip,0a_x86_old_analyze}.txt | sed -n '/^What they/,$p'
  What they have in common
    2 bug checks, 2 suspected modules
    They come from at least two machines: nothing is said about hardware.
  
  The machine
    Taken together they speak neither for one driver nor for the hardware: judge
    each by itself.
  $ dfrule check --together $T/nowhere
  dfrule: .*nowhere: No such file or directory (re)
  [4]
  $ dfrule check --together -q corpus/transcripts/{e2_keyboard,7a_cable}.txt $T/nowhere >/dev/null 2>&1
  [5]
