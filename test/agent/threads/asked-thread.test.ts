import { expect, it } from 'vitest';
import { AskedThread } from '../../../agent/threads/asked-thread.ts';
import { describeLab } from '../../lab/describe-lab.ts';
import type { Told } from './echo.ts';

type Answer = { readonly type: 'answer'; readonly id: number; readonly said: string };
type Said = { readonly type: 'nothing' };

const start = (options: object = {}) =>
  AskedThread.start<Told, Answer, Said>({ file: new URL('./echo.ts', import.meta.url), name: 'echo', options });

// It is woken by an eventfd, which is Linux's.
describeLab('a thread that is asked', () => {
  it('answers each who asked, in whatever order, or refuses', async () => {
    const thread = await start();
    const asked = ['one', 'two', 'three'].map((say) => thread.ask((id) => ({ id, say })));
    await expect(thread.ask((id) => ({ id, refuse: 'not allowed' }))).rejects.toMatchObject({ code: 'EPERM' });
    thread.send({ answer: 'in the other order' });
    expect((await Promise.all(asked)).map(({ said }) => said)).toEqual(['one', 'two', 'three']);
    expect(await thread.askToStop((id) => ({ id, end: 'done' }))).toMatchObject({ said: 'done' });
    await expect(thread.ask((id) => ({ id, say: 'too late' }))).rejects.toThrow();
  });

  it('leaves nobody waiting when it dies, and says so once', async () => {
    const thread = await start();
    const reasons: string[] = [];
    const died = new Promise<void>((resolve) => {
      thread.onFailure = ({ message }) => {
        reasons.push(message);
        resolve();
      };
    });
    const asked = thread.ask((id) => ({ id, say: 'never' }));
    thread.send({ die: 'out of memory' });
    await expect(asked).rejects.toThrow('out of memory');
    await died;
    await expect(thread.askToStop((id) => ({ id, end: 'done' }))).rejects.toThrow('out of memory');
    expect(reasons).toEqual(['out of memory']);
  });

  it('that can’t start says why', async () => {
    await expect(start({ refuses: true })).rejects.toMatchObject({ code: 'EADDRINUSE', message: 'the port is in use' });
  });
});
